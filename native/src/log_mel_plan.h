/* The immutable tables of a log-mel operation: one block of memory, offsets instead of pointers. */
#ifndef EK_LOG_MEL_PLAN_H
#define EK_LOG_MEL_PLAN_H

#include "edgekit.h"

enum { EK_MAX_STAGES = 16, EK_MAX_FFT = 1 << 16, EK_MAX_MEL_BINS = 256 };

/* The bins of the spectrum from one edge of the mel triangles to the next; `weight` counts bins. */
typedef struct {
    int32_t first;
    int32_t count;
    int32_t weight;
} ek_mel_segment;

struct ek_log_mel_plan {
    ek_log_mel_config config;
    int32_t before;    /* the first frame starts so many samples before the first one */
    int32_t columns;   /* of the result */
    float scale;       /* what samples are multiplied by before anything else */
    float window_scale; /* what the window multiplies them by besides */
    int32_t sum_block; /* frames are summed in blocks of so many samples; hops are whole blocks */
    int32_t stage_count;
    int32_t radix[EK_MAX_STAGES]; /* of the complex transform of fft_samples / 2 */
    uint32_t bytes;
    /* Byte offsets from the start of the plan. */
    uint32_t window;   /* float[frame_samples] */
    uint32_t twiddles; /* float pairs, stage by stage: see ek_fft_twiddles */
    uint32_t first;    /* the first stage's again, for vectors: see fill_first */
    uint32_t split;    /* e^(-2 pi i k / fft_samples): ek_split_count real parts, then imaginary */
    uint32_t slots;    /* int32: where the transform leaves output k */
    uint32_t segments; /* ek_mel_segment[mel_bins + 1] */
    uint32_t order;    /* ek_mel_segment[mel_bins + 1] by their count; `first` is their number */
    uint32_t weights;  /* float pairs: see ek_mel_segments; zeros as far as a vector reaches */
    uint32_t cosines;  /* a row for each mel bin: see ek_cepstrum_cosines */
};

/* Beyond the quarter that is used, as far as the last vector reaches. */
static inline int32_t ek_split_count(int32_t half) { return (half / 2 + 1 + 31) / 16 * 16; }

/* Cepstra in a row of the cosines, padded to whole vectors. */
static inline int32_t ek_cepstrum_stride(const ek_log_mel_config *config)
{
    return (config->cepstra + 15) / 16 * 16;
}

/* Rows of the transform, of a frame in each lane; the levels of the mel bins take their place. */
static inline size_t ek_log_mel_rows(const ek_log_mel_plan *plan)
{
    const int32_t fft = plan->config.fft_samples, levels = (plan->config.mel_bins + 15) / 4 * 4;
    return (size_t)(fft > levels ? fft : levels);
}

static inline const void *ek_plan_table(const ek_log_mel_plan *plan, uint32_t offset)
{
    return (const char *)plan + offset;
}

#endif
