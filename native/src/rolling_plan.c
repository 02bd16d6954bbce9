#include <math.h>
#include <string.h>

#include "elementary.h"
#include "order.h"
#include "rolling_operations.h"

static int rows_are_sound(const ek_rolling_config *config, int32_t *rows)
{
    uint32_t seen = 0;
    *rows = 0;
    for (int i = 0; i < EK_ROLLING_KINDS + config->quantile_count; i++) {
        const int q = i - EK_ROLLING_KINDS;
        const int32_t row = q < 0 ? config->row[i] : config->quantile_row[q];
        if (row < -1 || row >= 32 || (row >= 0 && seen >> row & 1))
            return 0;
        seen |= row >= 0 ? UINT32_C(1) << row : 0;
        *rows += row >= 0;
    }
    return *rows > 0 && seen == (uint32_t)((UINT64_C(1) << *rows) - 1);
}

static int config_is_sound(const ek_rolling_config *config, int32_t *rows)
{
    if (!config || config->window < 2 || config->window > EK_ROLLING_MAX_WINDOW ||
        config->min_samples < 1 || config->min_samples > config->window || config->ddof < 0 ||
        config->ddof > 1 || config->nan_policy < EK_NAN_PROPAGATE ||
        config->nan_policy > EK_NAN_ERROR || config->quantile_count < 0 ||
        config->quantile_count > EK_ROLLING_QUANTILES)
        return 0;
    for (int i = 0; i < config->quantile_count; i++)
        if (!(config->quantile[i] >= 0.0 && config->quantile[i] <= 1.0) ||
            config->quantile_row[i] < 0)
            return 0;
    if (config->row[EK_ROLLING_ENTROPY] >= 0 &&
        (config->bins < 2 || config->bins > EK_ROLLING_MAX_BINS || !isfinite(config->low) ||
         !isfinite(config->high - config->low) || !(config->low < config->high)))
        return 0;
    if (config->row[EK_ROLLING_EWMA] >= 0 && !(config->ewma_alpha > 0.0 && config->ewma_alpha <= 1.0))
        return 0;
    return rows_are_sound(config, rows);
}

static int wants(const ek_rolling_plan *plan, int kind) { return plan->config.row[kind] >= 0; }

static size_t placed(ek_rolling_layout *layout, size_t bytes)
{
    const size_t at = layout->total;
    layout->total += (bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
    return at;
}

static void lay_out(ek_rolling_plan *plan)
{
    ek_rolling_layout *layout = &plan->layout;
    const size_t block = ((size_t)plan->padded + EK_ROLLING_PAD) * sizeof(double);
    layout->total = 0;
    placed(layout, sizeof(ek_rolling_state));
    for (int i = 0; i < 2; i++)
        layout->raw[i] = placed(layout, block);
    for (int i = 0; i < EK_SUMS; i++)
        if (plan->wants_sums && (i < 2 || plan->wants_slope))
            layout->sums[i] = placed(layout, block);
    for (int i = 0; i < EK_EXTREMES; i++)
        if (plan->wants_extremes)
            layout->extremes[i] = placed(layout, block);
    if (wants(plan, EK_ROLLING_ENTROPY))
        layout->counts = placed(layout, (size_t)plan->config.bins * sizeof(int32_t));
    if (plan->config.quantile_count)
        layout->order = placed(layout, ek_order_bytes(plan->config.window));
}

static void find_decay(ek_rolling_plan *plan)
{
    double power[8];
    power[0] = 1.0 - plan->config.ewma_alpha;
    for (int i = 1; i < 8; i++)
        power[i] = power[i - 1] * power[0];
    for (int step = 0; step < 4; step++)
        for (int i = 0; i < 8; i++)
            plan->decay[step][i] = power[i & ((1 << step) - 1)];
    for (int i = 0; i < 8; i++)
        plan->all_ones[i] = 1.0;
    for (int step = 0; step < 3; step++) /* as ek_scan joins them */
        for (int i = 7; i >= 0; i--)
            if (i >> step & 1)
                plan->all_ones[i] += plan->decay[step][i] * plan->all_ones[(i >> step << step) - 1];
}

/* n ln n in whole numbers, so that what is added and taken away again leaves nothing. */
static void find_terms(const ek_rolling_plan *plan, int64_t *terms)
{
    for (int32_t n = 0; n <= plan->config.window; n++)
        terms[n] = n < 2 ? 0 : (int64_t)(n * ek_table_ln(n) * 1099511627776.0 + 0.5);
}

static int describe(const ek_rolling_config *config, ek_rolling_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    if (!config_is_sound(config, &plan->rows))
        return 0;
    plan->config = *config;
    const double w = config->window;
    plan->padded = (config->window + EK_ROLLING_PAD - 1) / EK_ROLLING_PAD * EK_ROLLING_PAD;
    plan->wants_slope = wants(plan, EK_ROLLING_SLOPE);
    for (int kind = EK_ROLLING_MEAN; kind <= EK_ROLLING_SLOPE; kind++)
        plan->wants_sums |= wants(plan, kind);
    plan->wants_extremes = wants(plan, EK_ROLLING_MIN) || wants(plan, EK_ROLLING_MAX);
    plan->wants_windows = plan->wants_sums || plan->wants_extremes ||
                          wants(plan, EK_ROLLING_ENTROPY) || config->quantile_count > 0;
    plan->inverse_window = 1.0 / w;
    plan->inverse_freedom = 1.0 / (w - config->ddof);
    plan->inverse_spread = 12.0 / (w * (w * w - 1.0));
    if (wants(plan, EK_ROLLING_EWMA))
        find_decay(plan);
    if (wants(plan, EK_ROLLING_ENTROPY)) {
        plan->inverse_bin = config->bins / (config->high - config->low);
        plan->terms = (sizeof *plan + 7) / 8 * 8;
    }
    lay_out(plan);
    return 1;
}

static size_t bytes_of(const ek_rolling_plan *plan)
{
    return plan->terms ? plan->terms + ((size_t)plan->config.window + 1) * sizeof(int64_t)
                       : sizeof *plan;
}

size_t ek_rolling_plan_bytes(const ek_rolling_config *config)
{
    ek_rolling_plan plan;
    return describe(config, &plan) ? bytes_of(&plan) : 0;
}

int ek_rolling_plan_build(const ek_rolling_config *config, void *memory, size_t bytes)
{
    ek_rolling_plan plan;
    if (!memory || !describe(config, &plan) || bytes < bytes_of(&plan))
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    memcpy(memory, &plan, sizeof plan);
    if (plan.terms)
        find_terms(&plan, (int64_t *)(void *)((char *)memory + plan.terms));
    return EK_OK;
}

size_t ek_rolling_state_bytes(const ek_rolling_plan *plan) { return plan ? plan->layout.total : 0; }

static void fill(double *to, int32_t count, double value)
{
    for (int32_t i = 0; i < count; i++)
        to[i] = value;
}

/* No sample yet: the block before is all gaps. */
int ek_rolling_start(const ek_rolling_plan *plan, void *memory)
{
    if (!plan || !memory)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    ek_rolling_state *state = memory;
    const ek_rolling_layout *layout = &plan->layout;
    const int32_t places = plan->padded + EK_ROLLING_PAD, w = plan->config.window;
    memset(state, 0, sizeof *state);
    state->at = state->unfilled = w;
    state->gap_in_block[0] = state->gap_in_block[1] = 1;
    for (int32_t p = 0; p < w; p++) {
        state->gaps.count++;
        state->gaps.sum += p;
        state->gaps.squares += (int64_t)p * p;
    }
    for (int i = 0; i < 2; i++)
        fill(ek_doubles(memory, layout->raw[i]), places, NAN);
    for (int i = 0; i < EK_SUMS; i++)
        if (layout->sums[i])
            fill(ek_doubles(memory, layout->sums[i]), places, 0.0);
    for (int i = 0; i < EK_EXTREMES; i++)
        if (layout->extremes[i])
            fill(ek_doubles(memory, layout->extremes[i]), places, i ? -INFINITY : INFINITY);
    if (layout->counts)
        memset((char *)memory + layout->counts, 0, (size_t)plan->config.bins * sizeof(int32_t));
    if (layout->order)
        ek_order_start((char *)memory + layout->order, w);
    return EK_OK;
}
