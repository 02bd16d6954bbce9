/* The immutable tables of a log-mel operation: one block of memory, offsets instead of pointers. */
#ifndef EK_LOG_MEL_PLAN_H
#define EK_LOG_MEL_PLAN_H

#include "edgekit.h"

enum { EK_MAX_STAGES = 16, EK_MAX_FFT = 1 << 16, EK_MAX_MEL_BINS = 256 };

/* One mel bin: `count` weights from `weight` on, for the power spectrum from `first` on. */
typedef struct {
    int32_t first;
    int32_t count;
    int32_t weight;
} ek_mel_band;

struct ek_log_mel_plan {
    ek_log_mel_config config;
    int32_t stage_count;
    int32_t radix[EK_MAX_STAGES]; /* of the complex transform of fft_samples / 2 */
    uint32_t bytes;
    /* Byte offsets from the start of the plan. */
    uint32_t window;   /* float[frame_samples] */
    uint32_t twiddles; /* float pairs, stage by stage: see ek_fft_twiddles */
    uint32_t split;    /* float pairs e^(-2 pi i k / fft_samples), k = 0 .. fft_samples / 4 */
    uint32_t slots;    /* int32: where the transform leaves output k */
    uint32_t rows;     /* int32: row of the work buffer that holds the power of bin k */
    uint32_t bands;    /* ek_mel_band[mel_bins] */
    uint32_t weights;  /* float */
};

static inline const void *ek_plan_table(const ek_log_mel_plan *plan, uint32_t offset)
{
    return (const char *)plan + offset;
}

#endif
