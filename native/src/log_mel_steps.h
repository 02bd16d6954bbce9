/* The steps of log-mel that frames in lanes and a frame on its own have in common. */
#ifndef EK_LOG_MEL_STEPS_H
#define EK_LOG_MEL_STEPS_H

#include "complex.h"
#include "logarithm.h"
#include "operations.h"
#include "transpose.h"

/* Index into a signal that is mirrored at both ends, without repeating the end samples. */
EK_STATIC size_t mirrored(int64_t i, size_t count)
{
    if (i < 0)
        i = -i;
    return (size_t)(i < (int64_t)count ? i : 2 * ((int64_t)count - 1) - i);
}

EK_STATIC float sample_at(const ek_log_mel_job *job, int64_t i)
{
    const size_t at = mirrored(i, job->sample_count);
    return job->sample_type == EK_INT16 ? (float)((const int16_t *)job->samples)[at]
                                        : ((const float *)job->samples)[at];
}

/* The samples from `start` to `end`, which exist, as scaled floats. */
EK_STATIC void convert(const ek_log_mel_job *job, float scale, int64_t start, int64_t end, float *out)
{
    const int16_t *whole = (const int16_t *)job->samples;
    const float *floats = (const float *)job->samples;
    int64_t i = start;
    if (job->sample_type == EK_INT16) {
        for (; i + EK_LANES <= end; i += EK_LANES)
            ek_store(out + (i - start), ek_load_int16(whole + i) * scale);
    } else {
        for (; i + EK_LANES <= end; i += EK_LANES)
            ek_store(out + (i - start), ek_load(floats + i) * scale);
    }
    for (; i < end; i++)
        out[i - start] = sample_at(job, i) * scale;
}

/* The `count` scaled samples from `start` on: in place where they can be, else in `stage`. */
EK_STATIC const float *staged(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t start,
                           size_t count, float *stage)
{
    const float scale = plan->config.input_scale;
    const int64_t end = start + (int64_t)count, last = (int64_t)job->sample_count;
    const int64_t first_inside = start < 0 ? 0 : start, end_inside = end < last ? end : last;
    if (start >= 0 && end <= last && job->sample_type == EK_FLOAT32 && scale == 1.0f)
        return (const float *)job->samples + start;
    for (int64_t i = start; i < first_inside; i++)
        stage[i - start] = sample_at(job, i) * scale;
    convert(job, scale, first_inside, end_inside, stage + (first_inside - start));
    for (int64_t i = end_inside; i < end; i++)
        stage[i - start] = sample_at(job, i) * scale;
    return stage;
}

/* sums[p] = (all[p] + all[p + 8]) + (all[p + 4] + all[p + 12]), `all` being sixteen in vectors. */
EK_INLINE void fold4(const ek_f32 *all, float *sums)
{
#if EK_LANES == 1
    for (int p = 0; p < 4; p++)
        sums[p] = (all[p] + all[p + 8]) + (all[p + 4] + all[p + 12]);
#elif EK_LANES == 4
    ek_store(sums, (all[0] + all[2]) + (all[1] + all[3]));
#else
#if EK_LANES == 8
    const ek_f32 halves = all[0] + all[1];
#else
    typedef float ek_half __attribute__((vector_size(32)));
    const ek_half halves = __builtin_shufflevector(*all, *all, 0, 1, 2, 3, 4, 5, 6, 7) +
                           __builtin_shufflevector(*all, *all, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
    const ek_quad quad = __builtin_shufflevector(halves, halves, 0, 1, 2, 3) +
                         __builtin_shufflevector(halves, halves, 4, 5, 6, 7);
    memcpy(sums, &quad, sizeof quad);
#endif
}

/* Four partial sums, whatever the lanes: sixteen first, x[i] in number i % 16, then folded twice. */
EK_STATIC void sum4(const float *x, int32_t count, float *sums)
{
    ek_f32 part[16 / EK_LANES];
    int32_t i = 0;
    EK_UNROLL for (int p = 0; p < 16 / EK_LANES; p++) part[p] = ek_splat(0.0f);
    for (; i + 16 <= count; i += 16)
        EK_UNROLL for (int p = 0; p < 16 / EK_LANES; p++)
            part[p] = part[p] + ek_load(x + i + p * EK_LANES);
    if (i < count) {
        float all[16];
        memcpy(all, part, sizeof all);
        for (; i < count; i++)
            all[i % 16] = all[i % 16] + x[i];
        memcpy(part, all, sizeof all);
    }
    fold4(part, sums);
}

/* With x the sample, y the one before and m the frame's mean: (x - m) - (y - m) a, in a form whose
 * last term is the same for the whole frame, and whose others are the same for all frames. */
EK_STATIC void emphasize(const float *x, size_t count, float factor, float *out)
{
    size_t i = 1;
    out[0] = 0.0f; /* never a sample with one before it */
    for (; i + EK_LANES <= count; i += EK_LANES)
        ek_store(out + i, ek_load(x + i) - ek_load(x + i - 1) * factor);
    for (; i < count; i++)
        out[i] = x[i] - x[i - 1] * factor;
}

EK_STATIC float shift_weight(const ek_log_mel_config *config) { return 1.0f - config->preemphasis; }

/* The samples went in as complex numbers, even ones real, odd ones imaginary. With E and O the
 * spectra of either, 2 X(k) = 2 E + 2 O w^k. Gives four times the power of bins k and N/2 - k. */
EK_INLINE void split_power(ek_c32 a, ek_c32 b, ek_c32 w, ek_f32 *low, ek_f32 *high)
{
    const ek_c32 even = {a.re + b.re, a.im - b.im}, odd = {a.im + b.im, b.re - a.re};
    const ek_c32 turned = ek_c_mul(odd, w);
    const ek_c32 x = ek_c_add(even, turned), y = ek_c_sub(even, turned);
    *low = x.re * x.re + x.im * x.im;
    *high = y.re * y.re + y.im * y.im;
}

EK_INLINE ek_f32 end_power(ek_f32 sum) { return (sum * 2.0f) * (sum * 2.0f); }

/* Of an energy; `unit` is 1 for the natural logarithm. */
EK_INLINE ek_f32 level_of(ek_f32 energy, float floor, float unit)
{
    return ek_ln(ek_at_least(energy, ek_splat(floor))) * unit;
}

EK_STATIC float unit_of(const ek_log_mel_config *config)
{
    return config->logarithm == EK_LOG_10 ? 0.43429448190325183f : 1.0f; /* 1 / ln 10 */
}

#endif
