/* What the fixed-point front end has compiled once per instruction set. */
#ifndef EK_MICRO_OPERATIONS_H
#define EK_MICRO_OPERATIONS_H

#include "micro_plan.h"

/* The square roots of the channels' energies of one window, shifted back, from window_samples
 * samples; scratch: ek_micro_scratch_values() int32. */
typedef void ek_micro_operation(const ek_micro_plan *plan, const int16_t *samples,
                                uint32_t *channels, int32_t *scratch);

typedef struct {
    ek_micro_operation *spectrum;
} ek_micro_operations;

#define EK_DECLARE_MICRO(isa) ek_micro_operation ek_micro_spectrum_##isa;

#define EK_FILL_MICRO(isa)                                                                         \
    (ek_micro_operations) { ek_micro_spectrum_##isa }

/* The transform twice, and the energies. */
static inline size_t ek_micro_scratch_values(const ek_micro_plan *plan)
{
    return 3 * ((size_t)plan->fft_samples / 2 + 32);
}

#endif
