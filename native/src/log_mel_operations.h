/* What log-mel has compiled once per instruction set. */
#ifndef EK_LOG_MEL_OPERATIONS_H
#define EK_LOG_MEL_OPERATIONS_H

#include "log_mel_plan.h"

/* Samples and where the frames go. Frame f starts at sample f * hop - before. */
typedef struct {
    const void *samples;
    int sample_type;
    size_t sample_count;
    size_t readable; /* what lies behind the samples is read and not used */
    size_t frames;
    int64_t before;
    int raw; /* 1 where samples are still to be scaled and dithered, as from index 0 on */
    float *out;
    float *scratch;
} ek_log_mel_job;

typedef void ek_log_mel_operation(const ek_log_mel_plan *plan, const ek_log_mel_job *job,
                                  size_t frame);

typedef void ek_cepstra_operation(const ek_log_mel_plan *plan, const float *levels, size_t rows,
                                  float *out);

typedef struct {
    int lanes;
    ek_log_mel_operation *group; /* `lanes` frames from `frame` on, or those that are left */
    ek_log_mel_operation *one;   /* one frame, where ek_log_mel_fits_one() */
    ek_cepstra_operation *cepstra;
} ek_log_mel_operations;

#define EK_DECLARE_LOG_MEL(isa)                                                                    \
    extern const int ek_log_mel_lanes_##isa;                                                       \
    ek_log_mel_operation ek_log_mel_group_##isa, ek_log_mel_one_##isa;                             \
    ek_cepstra_operation ek_log_mel_cepstra_##isa;

#define EK_FILL_LOG_MEL(isa)                                                                       \
    (ek_log_mel_operations)                                                                        \
    {                                                                                              \
        ek_log_mel_lanes_##isa, ek_log_mel_group_##isa, ek_log_mel_one_##isa,                      \
            ek_log_mel_cepstra_##isa                                                               \
    }

/* Groups of frames; the last few, which would leave most lanes empty, one by one. */
void ek_log_mel_run(const ek_log_mel_operations *operations, const ek_log_mel_plan *plan,
                    const ek_log_mel_job *job);

/* Floats of scratch that a group or a single frame needs. */
size_t ek_log_mel_scratch_floats(const ek_log_mel_plan *plan, size_t lanes);

/* A frame on its own is transformed in eight lanes: the size must have a factor of eight. */
int ek_log_mel_fits_one(const ek_log_mel_plan *plan);

#endif
