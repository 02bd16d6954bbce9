/* The steps of log-mel that frames in lanes and a frame on its own have in common. */
#ifndef EK_LOG_MEL_STEPS_H
#define EK_LOG_MEL_STEPS_H

#include "complex.h"
#include "logarithm.h"
#include "operations.h"
#include "samples.h"
#include "transpose.h"

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

/* Of four partial sums. */
EK_INLINE float total_of(const float *sums) { return (sums[0] + sums[2]) + (sums[1] + sums[3]); }

/* Sum of squares of the frame without its mean, in sixteen parts like sum4. */
EK_STATIC float energy_of(const float *x, int32_t count, float mean)
{
    ek_f32 part[16 / EK_LANES];
    float sums[4];
    int32_t i = 0;
    EK_UNROLL for (int p = 0; p < 16 / EK_LANES; p++) part[p] = ek_splat(0.0f);
    for (; i + 16 <= count; i += 16)
        EK_UNROLL for (int p = 0; p < 16 / EK_LANES; p++)
        {
            const ek_f32 off = ek_load(x + i + p * EK_LANES) - mean;
            part[p] = part[p] + off * off;
        }
    if (i < count) {
        float all[16];
        memcpy(all, part, sizeof all);
        for (; i < count; i++)
            all[i % 16] = all[i % 16] + (x[i] - mean) * (x[i] - mean);
        memcpy(part, all, sizeof all);
    }
    fold4(part, sums);
    return total_of(sums);
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

/* Square roots, where magnitudes are wanted; the build lets them be instructions. */
EK_STATIC void roots(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = __builtin_sqrtf(values[i]);
}

/* Of an energy; `unit` is 1 for the natural logarithm. */
EK_INLINE ek_f32 level_of(ek_f32 energy, float floor, float unit)
{
    return ek_ln(ek_at_least(energy, ek_splat(floor))) * unit;
}

/* What a natural logarithm is multiplied by: 1 / ln 10, 10 / ln 10, 20 / ln 10. */
EK_STATIC float unit_of(const ek_log_mel_config *config)
{
    if (config->logarithm == EK_LOG_DB)
        return config->magnitude ? 8.6858896380650366f : 4.3429448190325183f;
    return config->logarithm == EK_LOG_10 ? 0.43429448190325183f : 1.0f;
}

#endif
