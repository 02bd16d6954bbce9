/* What is compiled once per instruction set, and the table that picks among the versions. */
#ifndef EK_OPERATIONS_H
#define EK_OPERATIONS_H

#include "image_operations.h"
#include "log_mel_plan.h"

/* Samples and where the frames go. Frame f starts at sample f * hop - before. */
typedef struct {
    const void *samples;
    int sample_type;
    size_t sample_count;
    size_t frames;
    int64_t before;
    float *out;
    float *scratch;
} ek_log_mel_job;

typedef struct {
    int lanes;
    void (*log_mel)(const ek_log_mel_plan *plan, const ek_log_mel_job *job);
    ek_image_operations image;
} ek_operations;

#define EK_DECLARE(isa)                                                                            \
    void ek_log_mel_run_##isa(const ek_log_mel_plan *plan, const ek_log_mel_job *job);             \
    EK_DECLARE_IMAGE(isa)

EK_DECLARE(portable)
EK_DECLARE(sse2)
EK_DECLARE(avx2)
EK_DECLARE(avx512)
EK_DECLARE(neon)

/* Fills the table for an instruction set; 0 when it is not compiled in or cannot run here. */
int ek_operations_for(int isa, ek_operations *operations);

#endif
