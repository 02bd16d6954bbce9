#include <math.h>

#include "rolling_scalar.h"

void ek_gaps_shift(ek_gaps *gaps, int32_t window)
{
    const int64_t w = window;
    gaps->squares += gaps->count * w * w - 2 * w * gaps->sum;
    gaps->sum -= gaps->count * w;
}

static void count_gap(ek_gaps *gaps, int64_t position, int by)
{
    gaps->count += by;
    gaps->sum += by * position;
    gaps->squares += by * position * position;
}

static void slide(ek_rolling_state *state, double leave, double enter, int64_t at, int32_t window)
{
    if (!ek_is_finite(leave)) {
        count_gap(&state->gaps, at - window, -1);
        if (state->unfilled)
            state->unfilled--;
        else if (leave != leave)
            state->nans--;
        else
            state->infinities--;
    }
    if (!ek_is_finite(enter)) {
        count_gap(&state->gaps, at, 1);
        if (enter != enter)
            state->nans++;
        else
            state->infinities++;
    }
}

/* Of all whole numbers up to n, which may be negative. */
static int64_t squares_to(int64_t n) { return n * (n + 1) * (2 * n + 1) / 6; }

/* sum of (p - mean p) squared over the n positions that have a value */
static double spread_of(int64_t n, int64_t sum, int64_t squares)
{
    if (n < 20000) /* then it fits */
        return (double)(n * squares - sum * sum) / (double)n;
    return (double)squares - (double)sum * ((double)sum / (double)n);
}

static double slope(const ek_stretch *s, int32_t i, const ek_gaps *gaps)
{
    const int64_t w = s->plan->config.window, last = s->position + i, n = w - gaps->count;
    const int64_t sum = w * last - w * (w - 1) / 2 - gaps->sum;
    const int64_t squares = squares_to(last) - squares_to(last - w) - gaps->squares;
    const double middle = (double)sum / (double)n;
    const double spread = spread_of(n, sum, squares);
    return spread > 0.0 ? (s->sums[2][i] - middle * s->sums[0][i]) / spread : NAN;
}

static void put(const ek_stretch *s, int kind, int32_t i, double value)
{
    if (s->row[kind])
        ek_put(s->row[kind], s->type, i, value);
}

/* As finish does it for full windows, with n values instead. */
static void put_sums(const ek_stretch *s, int32_t i, const ek_gaps *gaps)
{
    const int64_t n = s->plan->config.window - gaps->count, freedom = n - s->plan->config.ddof;
    const double mean = s->sums[0][i] / (double)n;
    const double squares = s->sums[1][i] - s->sums[0][i] * mean;
    const double variance = freedom <= 0 ? NAN : squares < 0.0 ? 0.0 : squares / (double)freedom;
    const double deviation = __builtin_sqrt(variance);
    const double z = (s->raw[i] - s->anchor - mean) / deviation;
    put(s, EK_ROLLING_MEAN, i, s->anchor + mean);
    put(s, EK_ROLLING_VARIANCE, i, variance);
    put(s, EK_ROLLING_STD, i, deviation);
    put(s, EK_ROLLING_Z_SCORE, i, !ek_is_finite(s->raw[i]) ? NAN : deviation == 0.0 ? 0.0 : z);
    if (s->row[EK_ROLLING_SLOPE])
        put(s, EK_ROLLING_SLOPE, i, slope(s, i, gaps));
}

static void put_nan(const ek_stretch *s, int32_t i, int first, int last)
{
    for (int kind = first; kind <= last; kind++)
        put(s, kind, i, NAN);
    for (int q = 0; last > EK_ROLLING_SLOPE && q < s->plan->config.quantile_count; q++)
        ek_put(s->quantile_row[q], s->type, i, NAN);
}

void ek_finish_gaps(const ek_stretch *s, ek_rolling_state *state)
{
    const ek_rolling_config *config = &s->plan->config;
    for (int32_t i = 0; i < s->count; i++) {
        slide(state, s->leaving[i], s->raw[i], s->position + i, config->window);
        const int32_t present = config->window - state->unfilled - state->nans;
        const int spoiled = config->nan_policy == EK_NAN_PROPAGATE && state->nans > 0;
        if (spoiled || present < config->min_samples)
            put_nan(s, i, EK_ROLLING_MEAN, EK_ROLLING_ENTROPY);
        else if (state->infinities > 0)
            put_nan(s, i, EK_ROLLING_MEAN, EK_ROLLING_SLOPE);
        else if (state->gaps.count > 0 && s->plan->wants_sums)
            put_sums(s, i, &state->gaps);
    }
}
