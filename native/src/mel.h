/* Triangular mel filters. */
#ifndef EK_MEL_H
#define EK_MEL_H

#include "log_mel_plan.h"

/* Fills mel_bins + 1 segments, and two weights for each of their bins, which are at most
 * fft_samples / 2 + 1 in all: that of the triangle which rises, number m in segment m, and that of
 * the one before, which falls. They carry a factor 1/4: the transform leaves four times the power, or
 * 1/2 where magnitudes are weighed. */
void ek_mel_segments(const ek_log_mel_config *config, ek_mel_segment *segments, float *weights);

#endif
