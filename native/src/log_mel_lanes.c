/* Log-mel energies, one frame in each lane. Compiled once per instruction set. */
#include "fft.h"
#include "logarithm.h"
#include "operations.h"

#define EK_INV_LN10 0.43429448190325183f

/* Index into a signal that is mirrored at both ends, without repeating the end samples. */
static size_t mirrored(int64_t i, size_t count)
{
    if (i < 0)
        i = -i;
    return (size_t)(i < (int64_t)count ? i : 2 * ((int64_t)count - 1) - i);
}

static float sample_at(const ek_log_mel_job *job, int64_t i)
{
    const size_t at = mirrored(i, job->sample_count);
    return job->sample_type == EK_INT16 ? (float)((const int16_t *)job->samples)[at]
                                        : ((const float *)job->samples)[at];
}

/* The `count` scaled samples from `start` on: in place where they can be, else in `stage`. */
static const float *staged(const ek_log_mel_plan *plan, const ek_log_mel_job *job, int64_t start,
                           size_t count, float *stage)
{
    const float scale = plan->config.input_scale;
    const int inside = start >= 0 && (size_t)start + count <= job->sample_count;
    if (inside && job->sample_type == EK_FLOAT32 && scale == 1.0f)
        return (const float *)job->samples + start;
    if (inside && job->sample_type == EK_INT16) {
        const int16_t *samples = (const int16_t *)job->samples + start;
        for (size_t i = 0; i < count; i++)
            stage[i] = (float)samples[i] * scale;
    } else {
        for (size_t i = 0; i < count; i++)
            stage[i] = sample_at(job, start + (int64_t)i) * scale;
    }
    return stage;
}

/* Lanes beyond the last frame repeat it. */
static void load_frames(const float *first, size_t frames, size_t hop, int32_t count, ek_f32 *rows)
{
    const float *start[EK_LANES];
    for (size_t l = 0; l < EK_LANES; l++)
        start[l] = first + (l < frames ? l : frames - 1) * hop;
    for (int32_t i = 0; i < count; i++)
        rows[i] = ek_gather(start, i);
}

static void subtract_mean(ek_f32 *rows, int32_t count)
{
    ek_f32 sum[4] = {ek_splat(0.0f), ek_splat(0.0f), ek_splat(0.0f), ek_splat(0.0f)};
    for (int32_t i = 0; i < count; i++)
        sum[i % 4] = sum[i % 4] + rows[i];
    const ek_f32 mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)count;
    for (int32_t i = 0; i < count; i++)
        rows[i] = rows[i] - mean;
}

/* As Kaldi: the sample before the first is taken to be the first. */
static void emphasize(ek_f32 *rows, int32_t count, float factor)
{
    for (int32_t i = count - 1; i > 0; i--)
        rows[i] = rows[i] - rows[i - 1] * factor;
    rows[0] = rows[0] - rows[0] * factor;
}

static void prepare(const ek_log_mel_plan *plan, ek_f32 *rows)
{
    const int32_t count = plan->config.frame_samples;
    const float *window = ek_plan_table(plan, plan->window);
    if (plan->config.remove_dc)
        subtract_mean(rows, count);
    if (plan->config.preemphasis > 0.0f)
        emphasize(rows, count, plan->config.preemphasis);
    for (int32_t i = 0; i < count; i++)
        rows[i] = rows[i] * window[i];
    for (int32_t i = count; i < plan->config.fft_samples; i++)
        rows[i] = ek_splat(0.0f);
}

/* The samples went in as complex numbers, even ones real, odd ones imaginary. With E and O the
 * spectra of either, 2 X(k) = 2 E + 2 O w^k. Leaves four times the power of every bin. */
static void power(const ek_log_mel_plan *plan, ek_f32 *rows)
{
    const int32_t half = plan->config.fft_samples / 2;
    const int32_t *slots = ek_plan_table(plan, plan->slots);
    const float *split = ek_plan_table(plan, plan->split);
    const ek_c32 z = ek_c_load(rows, slots[0]);
    const ek_f32 low = (z.re + z.im) * 2.0f, high = (z.re - z.im) * 2.0f;
    ek_c_store(rows, slots[0], (ek_c32){low * low, high * high});
    for (int32_t k = 1; k <= half / 2; k++) {
        const ek_c32 a = ek_c_load(rows, slots[k]), b = ek_c_load(rows, slots[half - k]);
        const ek_c32 even = {a.re + b.re, a.im - b.im}, odd = {a.im + b.im, b.re - a.re};
        const ek_c32 turned = ek_c_mul(odd, split + 2 * k);
        const ek_c32 x = ek_c_add(even, turned), y = ek_c_sub(even, turned);
        rows[2 * slots[half - k]] = y.re * y.re + y.im * y.im;
        rows[2 * slots[k]] = x.re * x.re + x.im * x.im;
    }
}

static ek_f32 energy(const ek_f32 *rows, const int32_t *row, const float *weights, int32_t count)
{
    ek_f32 sum = ek_splat(0.0f);
    for (int32_t i = 0; i < count; i++)
        sum = sum + rows[row[i]] * weights[i];
    return sum;
}

static void store_logs(const ek_log_mel_plan *plan, const ek_f32 *rows, int frames, float *out)
{
    const ek_mel_band *bands = ek_plan_table(plan, plan->bands);
    const float *weights = ek_plan_table(plan, plan->weights);
    const int32_t *row = ek_plan_table(plan, plan->rows);
    const int32_t bins = plan->config.mel_bins;
    const ek_f32 floor = ek_splat(plan->config.floor);
    const float unit = plan->config.logarithm == EK_LOG_10 ? EK_INV_LN10 : 1.0f;
    for (int32_t m = 0; m < bins; m++) {
        const ek_mel_band band = bands[m];
        const ek_f32 sum = energy(rows, row + band.first, weights + band.weight, band.count);
        const ek_f32 value = ek_ln(ek_at_least(sum, floor)) * unit;
        for (int l = 0; l < frames; l++)
            out[l * bins + m] = ek_lane(value, l);
    }
}

void EK_NAME(ek_log_mel_run)(const ek_log_mel_plan *plan, const ek_log_mel_job *job)
{
    const ek_log_mel_config *config = &plan->config;
    const size_t hop = (size_t)config->hop_samples, length = (size_t)config->frame_samples;
    ek_f32 *rows = (ek_f32 *)job->scratch;
    float *stage = job->scratch + (size_t)config->fft_samples * EK_LANES;
    for (size_t frame = 0; frame < job->frames; frame += EK_LANES) {
        const size_t left = job->frames - frame;
        const size_t used = left < EK_LANES ? left : EK_LANES;
        const int64_t start = (int64_t)(frame * hop) - job->before;
        const float *first = staged(plan, job, start, (used - 1) * hop + length, stage);
        load_frames(first, used, hop, config->frame_samples, rows);
        prepare(plan, rows);
        ek_fft(rows, config->fft_samples / 2, plan->radix, plan->stage_count,
               ek_plan_table(plan, plan->twiddles));
        power(plan, rows);
        store_logs(plan, rows, (int)used, job->out + frame * (size_t)config->mel_bins);
    }
}
