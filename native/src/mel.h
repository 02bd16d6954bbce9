/* Triangular mel filters. */
#ifndef EK_MEL_H
#define EK_MEL_H

#include "log_mel_plan.h"

/* Fills mel_bins bands and their weights, of which there are at most twice fft_samples / 2 + 1.
 * The weights carry a factor 1/4: the transform leaves four times the power. */
void ek_mel_bands(const ek_log_mel_config *config, ek_mel_band *bands, float *weights);

#endif
