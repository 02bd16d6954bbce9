/* The parts of rolling statistics that go sample by sample, once for all instruction sets. */
#ifndef EK_ROLLING_SCALAR_H
#define EK_ROLLING_SCALAR_H

#include "rolling_operations.h"

/* Shannon entropy of the counts in the bins, in nats. */
void ek_rolling_entropy(const ek_stretch *stretch, ek_rolling_state *state);

/* Where the window has places without a finite value: its statistics from the others, or NaN. */
void ek_finish_gaps(const ek_stretch *stretch, ek_rolling_state *state);

/* Positions count from a block's first sample; the next block begins `window` later. */
void ek_gaps_shift(ek_gaps *gaps, int32_t window);

#endif
