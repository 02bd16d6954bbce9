#include "rolling_scalar.h"

static int32_t bin_of(const ek_rolling_plan *plan, double value)
{
    const double place = (value - plan->config.low) * plan->inverse_bin;
    if (!(place > 0.0))
        return 0;
    return place < plan->config.bins ? (int32_t)place : plan->config.bins - 1;
}

void ek_rolling_entropy(const ek_stretch *stretch, ek_rolling_state *state)
{
    const ek_rolling_plan *plan = stretch->plan;
    const int64_t *terms = (const int64_t *)(const void *)((const char *)plan + plan->terms);
    int32_t *counts = (int32_t *)(void *)((char *)state + plan->layout.counts);
    for (int32_t i = 0; i < stretch->count; i++) {
        const double leave = stretch->leaving[i], enter = stretch->raw[i];
        if (leave == leave) {
            const int32_t n = counts[bin_of(plan, leave)]--;
            state->terms += terms[n - 1] - terms[n];
            state->counted--;
        }
        if (enter == enter) {
            const int32_t n = counts[bin_of(plan, enter)]++;
            state->terms += terms[n + 1] - terms[n];
            state->counted++;
        }
        const double sum = (double)(terms[state->counted] - state->terms);
        ek_put(stretch->row[EK_ROLLING_ENTROPY], stretch->type, i,
               sum * (1.0 / 1099511627776.0) / (state->counted ? state->counted : 1));
    }
}
