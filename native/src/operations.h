/* What is compiled once per instruction set, and the table that picks among the versions. */
#ifndef EK_OPERATIONS_H
#define EK_OPERATIONS_H

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

/* Where an output column (or row) lies in the source: between `near` and `far`. */
typedef struct {
    ptrdiff_t near;
    ptrdiff_t far;
    float part; /* 0 at near, towards 1 at far */
} ek_tap;

typedef struct {
    int lanes;
    void (*log_mel)(const ek_log_mel_plan *plan, const ek_log_mel_job *job);
    /* One source row to three planes of `width` floats. */
    void (*image_row)(const uint8_t *row, const ptrdiff_t *channel, const ek_tap *columns,
                      int32_t width, float *planes);
    /* (top + (bottom - top) * part) * scale + offset, over `width` floats. */
    void (*image_blend)(const float *top, const float *bottom, float part, float scale,
                        float offset, int32_t width, float *out);
} ek_operations;

#define EK_DECLARE(isa)                                                                            \
    void ek_log_mel_run_##isa(const ek_log_mel_plan *plan, const ek_log_mel_job *job);             \
    void ek_image_row_##isa(const uint8_t *row, const ptrdiff_t *channel, const ek_tap *columns,   \
                            int32_t width, float *planes);                                         \
    void ek_image_blend_##isa(const float *top, const float *bottom, float part, float scale,      \
                              float offset, int32_t width, float *out);

EK_DECLARE(portable)
EK_DECLARE(sse2)
EK_DECLARE(avx2)
EK_DECLARE(avx512)
EK_DECLARE(neon)

/* Fills the table for an instruction set; 0 when it is not compiled in or cannot run here. */
int ek_operations_for(int isa, ek_operations *operations);

#endif
