/* Sums, extremes and decaying means over time, eight samples at a time. Compiled once per
 * instruction set. */
#include "operations.h"
#include "wide.h"

EK_INLINE ek_wide less_negative_zero(ek_wide v) { return ek_wide_add(v, ek_wide_splat(0.0)); }

/* All bits of NaN or an infinity less itself give NaN, all else 0. */
EK_INLINE ek_wide if_finite(ek_wide v, ek_wide value)
{
    ek_wide out;
    EK_EACH_PART
    {
        const ek_f64 zero = v.part[p] - v.part[p];
#if EK_LANES == 1
        out.part[p] = zero == zero ? value.part[p] : 0.0;
#else
        out.part[p] = ek_f64_select(zero == zero, value.part[p], ek_f64_splat(0.0));
#endif
    }
    return out;
}

EK_INLINE double one_sample(const char *from, int type)
{
    double d;
    float f;
    if (type == EK_FLOAT64)
        return memcpy(&d, from, sizeof d), d + 0.0;
    return memcpy(&f, from, sizeof f), (double)f + 0.0;
}

EK_INLINE int not_all_finite(ek_wide differences)
{
    double at[EK_WIDE], sum = 0.0;
    ek_wide_store(at, differences);
    for (int i = 0; i < EK_WIDE; i++)
        sum += at[i];
    return sum != sum;
}

EK_ROLLING_TAKE(EK_NAME(ek_rolling_take))
{
    const int dense = stride == (type == EK_FLOAT64 ? 8 : 4);
    ek_wide differences = ek_wide_splat(0.0);
    double rest = 0.0;
    size_t i = 0;
    for (; dense && i + EK_WIDE <= count; i += EK_WIDE) {
        const void *at = from + (ptrdiff_t)i * stride;
        const ek_wide v =
            less_negative_zero(type == EK_FLOAT64 ? ek_wide_load(at) : ek_wide_load_narrow(at));
        differences = ek_wide_add(differences, ek_wide_sub(v, v));
        ek_wide_store(to + i, v);
    }
    for (; i < count; i++) {
        to[i] = one_sample(from + (ptrdiff_t)i * stride, type);
        rest += to[i] - to[i];
    }
    return not_all_finite(differences) || rest != rest;
}

/* The first `lanes` of eight values, to places from `at` on in a row. */
EK_INLINE void put(void *row, int type, int32_t at, int32_t lanes, ek_wide v)
{
    if (lanes >= EK_WIDE) {
        if (type == EK_FLOAT64)
            ek_wide_store((double *)row + at, v);
        else
            ek_wide_store_narrow((float *)row + at, v);
        return;
    }
    double kept[EK_WIDE];
    ek_wide_store(kept, v);
    for (int32_t i = 0; i < lanes; i++)
        if (type == EK_FLOAT64)
            ((double *)row)[at + i] = kept[i];
        else
            ((float *)row)[at + i] = (float)kept[i];
}

EK_ROLLING_GIVE(EK_NAME(ek_rolling_give))
{
    for (int32_t i = 0; i < count; i += EK_WIDE)
        put(to, type, i, count - i, ek_wide_load(from + i));
}

EK_INLINE ek_wide positions_from(int32_t first)
{
    double at[EK_WIDE];
    for (int i = 0; i < EK_WIDE; i++)
        at[i] = first + i;
    return ek_wide_load(at);
}

/* Of eight samples from `at` on: values relative to the anchor, their squares, times positions. */
EK_INLINE void terms_of(const ek_run *run, int32_t at, ek_wide *terms)
{
    const ek_wide raw = ek_wide_load(run->raw + at);
    terms[0] = if_finite(raw, ek_wide_sub(raw, ek_wide_splat(run->anchor)));
    terms[1] = ek_wide_mul(terms[0], terms[0]);
    terms[2] = terms[0];
    if (run->out[2])
        terms[2] = ek_wide_mul(terms[0], positions_from(run->position + at));
}

EK_ROLLING_RUN(EK_NAME(ek_rolling_sums_behind))
{
    const int sums = run->out[2] ? 3 : 2;
    ek_wide carry[EK_SUMS] = {ek_wide_splat(0.0), ek_wide_splat(0.0), ek_wide_splat(0.0)};
    for (int32_t at = EK_WIDE * (run->groups - 1); at >= 0; at -= EK_WIDE) {
        ek_wide terms[EK_SUMS];
        terms_of(run, at, terms);
        EK_UNROLL for (int i = 0; i < EK_SUMS; i++)
        {
            if (i >= sums)
                break;
            const ek_wide sum = ek_wide_add(ek_scan(terms[i], EK_SUM, 1, NULL), carry[i]);
            ek_wide_store(run->out[i] + at, sum);
            carry[i] = ek_wide_splat(ek_wide_first(sum));
        }
    }
}

EK_ROLLING_RUN(EK_NAME(ek_rolling_sums_ahead))
{
    const int sums = run->out[2] ? 3 : 2;
    const int32_t full = EK_WIDE * (run->groups - run->partial);
    ek_wide carry[EK_SUMS];
    for (int i = 0; i < EK_SUMS; i++)
        carry[i] = ek_wide_splat(run->carry[i]);
    for (int32_t at = 0; at < EK_WIDE * run->groups; at += EK_WIDE) {
        ek_wide terms[EK_SUMS];
        terms_of(run, at, terms);
        EK_UNROLL for (int i = 0; i < EK_SUMS; i++)
        {
            if (i >= sums)
                break;
            const ek_wide sum = ek_wide_add(ek_scan(terms[i], EK_SUM, 0, NULL), carry[i]);
            ek_wide_store(run->out[i] + at, ek_wide_add(ek_wide_load(run->behind[i] + at), sum));
            if (at < full)
                carry[i] = ek_wide_splat(ek_wide_last(sum));
        }
    }
    for (int i = 0; i < EK_SUMS; i++)
        run->carry[i] = ek_wide_first(carry[i]);
}

EK_INLINE ek_wide or_nothing(ek_wide raw, int most)
{
    return most ? ek_wide_most(raw, ek_wide_splat(-__builtin_inf()))
                : ek_wide_least(raw, ek_wide_splat(__builtin_inf()));
}

EK_INLINE ek_wide extreme(ek_wide a, ek_wide b, int most)
{
    return most ? ek_wide_most(a, b) : ek_wide_least(a, b);
}

EK_ROLLING_RUN(EK_NAME(ek_rolling_extremes_behind))
{
    ek_wide carry[EK_EXTREMES] = {ek_wide_splat(__builtin_inf()), ek_wide_splat(-__builtin_inf())};
    for (int32_t at = EK_WIDE * (run->groups - 1); at >= 0; at -= EK_WIDE)
        EK_UNROLL for (int i = 0; i < EK_EXTREMES; i++)
        {
            const ek_wide raw = or_nothing(ek_wide_load(run->raw + at), i);
            carry[i] = extreme(ek_scan(raw, i ? EK_MOST : EK_LEAST, 1, NULL), carry[i], i);
            ek_wide_store(run->out[i] + at, carry[i]);
            carry[i] = ek_wide_splat(ek_wide_first(carry[i]));
        }
}

EK_ROLLING_RUN(EK_NAME(ek_rolling_extremes_ahead))
{
    const int32_t full = EK_WIDE * (run->groups - run->partial);
    ek_wide carry[EK_EXTREMES] = {ek_wide_splat(run->carry[0]), ek_wide_splat(run->carry[1])};
    for (int32_t at = 0; at < EK_WIDE * run->groups; at += EK_WIDE)
        EK_UNROLL for (int i = 0; i < EK_EXTREMES; i++)
        {
            const ek_wide raw = or_nothing(ek_wide_load(run->raw + at), i);
            const ek_wide found = extreme(ek_scan(raw, i ? EK_MOST : EK_LEAST, 0, NULL), carry[i], i);
            ek_wide_store(run->out[i] + at, extreme(found, ek_wide_load(run->behind[i] + at), i));
            if (at < full)
                carry[i] = ek_wide_splat(ek_wide_last(found));
        }
    for (int i = 0; i < EK_EXTREMES; i++)
        run->carry[i] = ek_wide_first(carry[i]);
}

EK_INLINE void finish_eight(const ek_stretch *f, int32_t i)
{
    void *const *row = f->row;
    const ek_rolling_plan *plan = f->plan;
    const int32_t lanes = f->count - i;
    const ek_wide sum = ek_wide_load(f->sums[0] + i), zero = ek_wide_splat(0.0);
    const ek_wide mean = ek_wide_mul(sum, ek_wide_splat(plan->inverse_window));
    if (row[EK_ROLLING_MEAN])
        put(row[EK_ROLLING_MEAN], f->type, i, lanes, ek_wide_add(ek_wide_splat(f->anchor), mean));
    const ek_wide squares = ek_wide_sub(ek_wide_load(f->sums[1] + i), ek_wide_mul(sum, mean));
    const ek_wide variance =
        ek_wide_most(zero, ek_wide_mul(squares, ek_wide_splat(plan->inverse_freedom)));
    const ek_wide deviation = ek_wide_sqrt(variance);
    if (row[EK_ROLLING_VARIANCE])
        put(row[EK_ROLLING_VARIANCE], f->type, i, lanes, variance);
    if (row[EK_ROLLING_STD])
        put(row[EK_ROLLING_STD], f->type, i, lanes, deviation);
    if (row[EK_ROLLING_Z_SCORE]) {
        const ek_wide d = ek_wide_sub(ek_wide_load(f->raw + i), ek_wide_splat(f->anchor));
        const ek_wide z = ek_wide_div(ek_wide_sub(d, mean), deviation);
        put(row[EK_ROLLING_Z_SCORE], f->type, i, lanes, ek_wide_if_above_zero(z, deviation));
    }
    if (row[EK_ROLLING_SLOPE]) {
        const double half = 0.5 * (plan->config.window - 1);
        const ek_wide middle = ek_wide_sub(positions_from(f->position + i), ek_wide_splat(half));
        const ek_wide both = ek_wide_sub(ek_wide_load(f->sums[2] + i), ek_wide_mul(middle, sum));
        const ek_wide slope = ek_wide_mul(both, ek_wide_splat(plan->inverse_spread));
        put(row[EK_ROLLING_SLOPE], f->type, i, lanes, slope);
    }
}

EK_ROLLING_FINISH(EK_NAME(ek_rolling_finish))
{
    for (int32_t i = 0; i < stretch->count; i += EK_WIDE)
        finish_eight(stretch, i);
}

/* Of eight samples and the two sums before them; what is missing has no weight. */
EK_INLINE ek_wide decay_eight(const ek_rolling_plan *plan, ek_wide raw, int gaps, double *sums,
                              ek_wide *weights)
{
    const ek_wide power = ek_wide_load(plan->decay[3]);
    ek_wide ones = ek_wide_load(plan->all_ones);
    if (gaps)
        ones = ek_scan(if_finite(raw, ek_wide_splat(1.0)), EK_SUM, 0, plan->decay);
    const ek_wide values = ek_scan(if_finite(raw, raw), EK_SUM, 0, plan->decay);
    *weights = ek_wide_add(ek_wide_mul(power, ek_wide_splat(sums[1])), ones);
    return ek_wide_add(ek_wide_mul(power, ek_wide_splat(sums[0])), values);
}

EK_ROLLING_DECAY(EK_NAME(ek_rolling_decay))
{
    double sums[2] = {state->decayed[0], state->decayed[1]}, means[EK_WIDE];
    for (int32_t i = 0; i < count;) {
        const int32_t fill = state->decay_fill, room = EK_WIDE - fill;
        const int32_t taken = count - i < room ? count - i : room;
        const double *eight = taken == EK_WIDE ? samples + i : state->decay_raw;
        if (taken < EK_WIDE)
            memcpy(state->decay_raw + fill, samples + i, (size_t)taken * sizeof *samples);
        ek_wide weights;
        const ek_wide values =
            decay_eight(plan, ek_wide_load(eight), gaps || taken < EK_WIDE, sums, &weights);
        const ek_wide mean = ek_wide_div(values, weights);
        if (taken == EK_WIDE) {
            ek_wide_store(out + i, mean);
        } else {
            ek_wide_store(means, mean);
            memcpy(out + i, means + fill, (size_t)taken * sizeof *out);
        }
        state->decay_fill = (fill + taken) % EK_WIDE;
        if (fill + taken == EK_WIDE) {
            sums[0] = ek_wide_last(values);
            sums[1] = ek_wide_last(weights);
        }
        i += taken;
    }
    state->decayed[0] = sums[0];
    state->decayed[1] = sums[1];
}
