/* Samples of either type as scaled and dithered floats, also beyond the ends of the signal. */
#ifndef EK_SAMPLES_H
#define EK_SAMPLES_H

#include "log_mel_operations.h"
#include "vector.h"

/* Index of the sample that stands at i, before the start or from `count` on; -1 for silence. */
EK_STATIC int64_t beyond(int64_t i, int64_t count, int32_t padding)
{
    if (padding == EK_PAD_ZERO)
        return -1;
    if (padding == EK_PAD_EDGE)
        return i < 0 ? 0 : count - 1;
    const int64_t twice = padding == EK_PAD_SYMMETRIC;
    while (i < 0 || i >= count) {
        if (i < 0)
            i = -i - twice;
        if (i >= count)
            i = 2 * (count - 1) + twice - i;
    }
    return i;
}

/* Avalanche of 32 bits: lowbias32 (Wellons 2018). */
EK_STATIC uint32_t scattered(uint32_t x)
{
    x = (x ^ x >> 16) * UINT32_C(0x7feb352d);
    x = (x ^ x >> 15) * UINT32_C(0x846ca68b);
    return x ^ x >> 16;
}

/* Noise of sample i with the deviation 1: the sum of four uniform numbers, each of 16 bits. It hangs
 * on seed and index alone, so chunks and frames see the same. */
EK_STATIC float noise(uint32_t seed, uint64_t i)
{
    const uint32_t low = scattered((uint32_t)i ^ scattered(seed ^ (uint32_t)(i >> 32)));
    const uint32_t high = scattered(low ^ UINT32_C(0x9e3779b9));
    const int32_t sum = (int32_t)((low & 0xffff) + (low >> 16) + (high & 0xffff) + (high >> 16));
    return (float)(sum - 131070) * 2.6429e-5f; /* sqrt(3) / 65535 */
}

/* Sample i of the job, which exists; `index` counts from the start of the signal. */
EK_STATIC float sample_at_index(const ek_log_mel_plan *plan, const ek_log_mel_job *job,
                                int64_t i, uint64_t index)
{
    const float x = job->sample_type == EK_INT16 ? (float)((const int16_t *)job->samples)[i]
                                                 : ((const float *)job->samples)[i];
    if (!job->raw)
        return x;
    const float scaled = x * plan->scale;
    if (plan->config.dither == 0.0f)
        return scaled;
    return scaled + noise(plan->config.dither_seed, index) * plan->config.dither;
}

EK_STATIC float sample_at(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t i)
{
    return sample_at_index(plan, job, i, (uint64_t)i);
}

/* The samples from `start` to `end`, which exist. */
EK_STATIC void convert(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t start,
                       int64_t end, float *out)
{
    const int16_t *whole = (const int16_t *)job->samples;
    const float *floats = (const float *)job->samples, scale = job->raw ? plan->scale : 1.0f;
    int64_t i = start;
    if (job->raw && plan->config.dither != 0.0f) {
    } else if (job->sample_type == EK_FLOAT32 && scale == 1.0f && end - start >= 512) {
        memcpy(out, floats + start, (size_t)(end - start) * sizeof *out); /* a call: not for a few */
        return;
    } else if (job->sample_type == EK_INT16) {
        for (; i + EK_LANES <= end; i += EK_LANES)
            ek_store(out + (i - start), ek_load_int16(whole + i) * scale);
    } else {
        for (; i + EK_LANES <= end; i += EK_LANES)
            ek_store(out + (i - start), ek_load(floats + i) * scale);
    }
    for (; i < end; i++)
        out[i - start] = sample_at(plan, job, i);
}

/* Samples from `start` to `end` before or after the signal. */
EK_STATIC void pad(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t start,
                   int64_t end, float *out)
{
    for (int64_t i = start; i < end; i++) {
        const int64_t at = beyond(i, (int64_t)job->sample_count, plan->config.padding);
        out[i - start] = at < 0 ? 0.0f : sample_at(plan, job, at);
    }
}

/* The `count` samples from `start` on: in place where they can be, else in `stage`. */
EK_STATIC const float *staged(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t start,
                              size_t count, float *stage)
{
    const int64_t end = start + (int64_t)count, last = (int64_t)job->sample_count;
    int64_t first_inside = start < 0 ? 0 : start, end_inside = end < last ? end : last;
    const int as_is = !job->raw || (plan->scale == 1.0f && plan->config.dither == 0.0f);
    if (start >= 0 && end <= last && job->sample_type == EK_FLOAT32 && as_is)
        return (const float *)job->samples + start;
    if (first_inside > end_inside)
        first_inside = end_inside = first_inside < end ? first_inside : end;
    pad(plan, job, start, first_inside, stage);
    convert(plan, job, first_inside, end_inside, stage + (first_inside - start));
    pad(plan, job, end_inside, end, stage + (end_inside - start));
    return stage;
}

#endif
