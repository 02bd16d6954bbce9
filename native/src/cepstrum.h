/* Cepstral coefficients: the orthonormal DCT-II of the mel bins' logarithms, liftered. */
#ifndef EK_CEPSTRUM_H
#define EK_CEPSTRUM_H

#include "log_mel_plan.h"

/* A row for each mel bin: what it weighs in each of the cepstra, lifter included, then zeros. */
void ek_cepstrum_cosines(const ek_log_mel_config *config, float *cosines);

#endif
