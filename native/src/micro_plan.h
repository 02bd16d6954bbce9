/* The immutable tables of the fixed-point front end of TFLite-micro: one block, offsets. */
#ifndef EK_MICRO_PLAN_H
#define EK_MICRO_PLAN_H

#include "edgekit.h"

enum {
    EK_MICRO_MAX_FFT = 4096,
    EK_MICRO_MAX_CHANNELS = 256,
    EK_MICRO_WINDOW_BITS = 12,
    EK_MICRO_FILTER_BITS = 12,
    EK_MICRO_NOISE_BITS = 14,
    EK_MICRO_EXACT_BINS = 128, /* of 2^31, times 2^FILTER_BITS: 2^50, whose roots' floors are exact */
    EK_MICRO_SNR_BITS = 12,
    EK_MICRO_GAIN_BITS = 6,   /* of the gain control's result */
    EK_MICRO_GAIN_TABLE = 125 /* two values, then for each number of bits four, less one */
};

/* Bins of the spectrum between the centres of two channels. */
typedef struct {
    int16_t first;
    int16_t count;
    int16_t weight;
} ek_micro_segment;

struct ek_micro_plan {
    ek_micro_config config;
    int32_t fft_samples; /* of the transform of real samples; half of it is complex */
    int32_t first_bin;
    int32_t end_bin;
    int32_t broad; /* 1: a channel has more bins than EK_MICRO_EXACT_BINS */
    int32_t snr_shift;
    int32_t correction_bits; /* of the logarithm */
    int32_t even_smoothing;
    int32_t odd_smoothing;
    int32_t least_remaining;
    uint32_t bytes;
    /* Byte offsets from the start of the plan. */
    uint32_t window;   /* int16[window_samples] */
    uint32_t turns;    /* int32, stage by stage: see fill_turns */
    uint32_t split;    /* int32: two runs of ek_micro_split_stride: see fill_split */
    uint32_t segments; /* ek_micro_segment[channels + 1] */
    uint32_t weights;  /* whole doubles in pairs: of the channel that falls, of the one that rises */
    uint32_t gains;    /* int16[EK_MICRO_GAIN_TABLE] */
};

/* A quarter of the transform, and as far as a vector reaches. */
static inline int32_t ek_micro_split_stride(int32_t fft_samples) { return fft_samples / 4 + 16; }

static inline const void *ek_micro_table(const ek_micro_plan *plan, uint32_t offset)
{
    return (const char *)plan + offset;
}

#endif
