/* Log-mel energies of a frame on its own: its parts fill the lanes, with the operations and the
 * order of log_mel_lanes.c. After the first stage of radix 8 there are eight transforms of an eighth
 * of the size, one for each lane. Compiled once per instruction set. */
#include "audio_lanes.h"

#include "fft.h"
#include "log_mel_steps.h"

/* Of one row, EK_LANES coefficients at once; `out` has room for whole vectors. */
static void cepstra(const ek_log_mel_plan *plan, const float *values, float *out)
{
    const int32_t stride = ek_cepstrum_stride(&plan->config);
    const float *cosines = ek_plan_table(plan, plan->cosines);
    for (int32_t c = 0; c < plan->config.cepstra; c += EK_LANES) {
        ek_f32 sum = ek_load(cosines + c) * values[0];
        for (int32_t m = 1; m < plan->config.mel_bins; m++)
            sum = sum + ek_load(cosines + m * stride + c) * values[m];
        ek_store(out + c, sum);
    }
}

void EK_NAME(ek_log_mel_cepstra)(const ek_log_mel_plan *plan, const float *levels, size_t rows,
                                 float *out)
{
    const size_t bins = (size_t)plan->config.mel_bins, count = (size_t)plan->config.cepstra;
    float whole[EK_MAX_MEL_BINS + 16];
    for (size_t r = 0; r < rows; r++) {
        cepstra(plan, levels + r * bins, whole);
        memcpy(out + r * count, whole, count * sizeof *out);
    }
}

#if EK_LANES > 1

enum { GROUPS = 8 / EK_LANES };

/* The scratch of one frame, in floats from its start. */
typedef struct {
    float *frame; /* windowed samples and zeros; then what bins add to triangles */
    float *re;    /* the transform in natural order, its first element again at the end */
    float *im;
    float *power; /* then the cepstra */
    ek_f32 *rows[GROUPS]; /* two for each element of the smaller transforms */
    float *levels; /* of the mel bins, and room for vectors */
    float *samples;
} ek_workspace;

static ek_workspace workspace(const ek_log_mel_plan *plan, float *scratch)
{
    const int32_t half = plan->config.fft_samples / 2, padded = (half / 8 + 15) / 16 * 16;
    ek_workspace w;
    w.frame = scratch;
    w.re = w.frame + 2 * half + 64;
    w.im = w.re + half + 64;
    w.power = w.im + half + 64;
    for (int g = 0; g < GROUPS; g++)
        w.rows[g] = (ek_f32 *)(w.power + half + EK_MAX_MEL_BINS) + 2 * padded * g;
    w.levels = (float *)(w.rows[0] + 2 * padded * GROUPS);
    w.samples = w.levels + EK_MAX_MEL_BINS + 32;
    return w;
}

static float mean_of(const ek_log_mel_plan *plan, const float *x)
{
    const int32_t count = plan->config.frame_samples, block = plan->sum_block;
    float total[4], more[4];
    sum4(x, block, total);
    for (int32_t start = block; start < count; start += block) {
        sum4(x + start, block, more);
        EK_UNROLL for (int i = 0; i < 4; i++) total[i] = total[i] + more[i];
    }
    return total_of(total) / (float)count;
}

/* Kaldi takes the sample before a frame to be its first one. */
EK_INLINE void windowed(const ek_log_mel_plan *plan, const float *x, float mean, const int plain,
                        float *frame)
{
    const ek_log_mel_config *config = &plan->config;
    const float *window = ek_plan_table(plan, plan->window), factor = config->preemphasis;
    const float shift = config->remove_dc ? mean * shift_weight(config) : 0.0f;
    const int32_t count = config->frame_samples, whole = count - count % EK_LANES;
    for (int32_t i = 0; i < whole; i += EK_LANES) {
        ek_f32 e = ek_load(x + i);
        if (!plain)
            e = e - (i > 0 ? ek_load(x + i - 1) : EK_DELAYED(e)) * factor;
        ek_store(frame + i, (e - ek_splat(shift)) * ek_load(window + i));
    }
    for (int32_t i = whole; i < count; i++) {
        const float e = plain ? x[i] : x[i] - x[i - (i > 0)] * factor;
        frame[i] = (e - shift) * window[i];
    }
    memset(frame + count, 0, (size_t)(config->fft_samples + 64 - count) * sizeof(float));
}

/* EK_LANES butterflies of the first stage, from element j on, of which legs from `present` on are 0;
 * then element j of all eight transforms is a row. */
EK_INLINE void first_stage(const ek_workspace *w, const float *turns, int32_t j, int32_t step,
                           const int present)
{
    const int32_t padded = (step + 15) / 16 * 16;
    ek_c32 z[8];
    float re[8 * EK_LANES], im[8 * EK_LANES];
    EK_UNROLL for (int q = 0; q < present; q++) {
        const float *at = w->frame + 2 * (j + q * step);
        const ek_f32 low = ek_load(at), high = ek_load(at + EK_LANES);
        z[q] = (ek_c32){EK_EVENS(low, high), EK_ODDS(low, high)};
    }
    ek_dft8(z, present);
    EK_UNROLL for (int q = 0; q < 8; q++) {
        const float *turn = turns + 2 * (q - 1) * padded + j;
        if (q > 0)
            z[q] = ek_c_mul(z[q], (ek_c32){ek_load(turn), ek_load(turn + padded)});
        ek_store(re + q * EK_LANES, z[q].re);
        ek_store(im + q * EK_LANES, z[q].im);
    }
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < EK_LANES; i += 4) {
            ek_f32 columns[8];
            ek_load_columns(re + g * EK_LANES * EK_LANES + i, EK_LANES, columns);
            ek_load_columns(im + g * EK_LANES * EK_LANES + i, EK_LANES, columns + 4);
            for (int k = 0; k < 4; k++)
                ek_c_store(w->rows[g], j + i + k, (ek_c32){columns[k], columns[4 + k]});
        }
}

/* After it there are eight transforms of an eighth of the size. What lies behind the samples is 0. */
static void first_stages(const ek_log_mel_plan *plan, const ek_workspace *w)
{
    const int32_t step = plan->config.fft_samples / 16, used = (plan->config.frame_samples + 1) / 2;
    const float *turns = ek_plan_table(plan, plan->first);
    for (int32_t j = 0; j < step; j += EK_LANES) {
        if (used - j > 7 * step)
            first_stage(w, turns, j, step, 8);
        else if (used - j > 6 * step)
            first_stage(w, turns, j, step, 7);
        else if (used - j > 5 * step)
            first_stage(w, turns, j, step, 6);
        else
            first_stage(w, turns, j, step, 5);
    }
}

/* The last stage of the transforms in a group of lanes; element k of lane l becomes element 8 k + l. */
EK_INLINE void last_stage(const int32_t *slots, const ek_f32 *rows, int32_t blocks, const int radix,
                          float *re, float *im)
{
    for (int32_t r = 0; r < blocks; r++) {
        ek_c32 z[8];
        EK_UNROLL for (int q = 0; q < radix; q++) z[q] = ek_c_load(rows, slots[8 * r] + q);
        ek_dft(z, radix);
        EK_UNROLL for (int q = 0; q < radix; q++) {
            ek_store(re + 8 * (r + q * blocks), z[q].re);
            ek_store(im + 8 * (r + q * blocks), z[q].im);
        }
    }
}

static void transform(const ek_log_mel_plan *plan, const ek_workspace *w)
{
    const int32_t half = plan->config.fft_samples / 2, step = half / 8;
    const int32_t last = plan->radix[plan->stage_count - 1];
    const int32_t *slots = ek_plan_table(plan, plan->slots);
    const float *twiddles = ek_plan_table(plan, plan->twiddles);
    first_stages(plan, w);
    for (int g = 0; g < GROUPS; g++) {
        float *re = w->re + g * EK_LANES, *im = w->im + g * EK_LANES;
        ek_fft_later(w->rows[g], step, step, last, plan->radix + 1, twiddles + 14 * step);
        if (last == 8)
            last_stage(slots, w->rows[g], step / 8, 8, re, im);
        else if (last == 5)
            last_stage(slots, w->rows[g], step / 5, 5, re, im);
        else if (last == 4)
            last_stage(slots, w->rows[g], step / 4, 4, re, im);
        else if (last == 3)
            last_stage(slots, w->rows[g], step / 3, 3, re, im);
        else
            last_stage(slots, w->rows[g], step / 2, 2, re, im);
    }
    w->re[half] = w->re[0];
    w->im[half] = w->im[0];
}

/* Where half is no multiple of the lanes, the last ones repeat bins from the other end. */
static void power(const ek_log_mel_plan *plan, const ek_workspace *w)
{
    const int32_t half = plan->config.fft_samples / 2;
    const float *re = ek_plan_table(plan, plan->split), *im = re + ek_split_count(half);
    const float low = w->re[0] + w->im[0], high = w->re[0] - w->im[0];
    for (int32_t k = 1; k <= half / 2; k += EK_LANES) {
        const int32_t mirror = half - k - (EK_LANES - 1);
        const ek_c32 a = {ek_load(w->re + k), ek_load(w->im + k)};
        const ek_c32 b = {EK_REVERSED(ek_load(w->re + mirror)),
                          EK_REVERSED(ek_load(w->im + mirror))};
        ek_f32 x, y;
        split_power(a, b, (ek_c32){ek_load(re + k), ek_load(im + k)}, &x, &y);
        ek_store(w->power + mirror, EK_REVERSED(y));
        ek_store(w->power + k, x);
    }
    w->power[0] = (low * 2.0f) * (low * 2.0f);
    w->power[half] = (high * 2.0f) * (high * 2.0f);
}

/* Of all bins, from the first segment's on, what each adds to the triangle that rises there and to the
 * one that falls. */
static void products(const ek_log_mel_plan *plan, const float *power, float *out)
{
    const ek_mel_segment *segments = ek_plan_table(plan, plan->segments);
    const ek_mel_segment *last = segments + plan->config.mel_bins;
    const float *weights = ek_plan_table(plan, plan->weights), *bins = power + segments->first;
    for (int32_t i = 0; i < last->weight + last->count; i += EK_LANES) {
        const ek_f32 p = ek_load(bins + i);
        ek_store(out + 2 * i, EK_TWICE_LOW(p) * ek_load(weights + 2 * i));
        ek_store(out + 2 * i + EK_LANES, EK_TWICE_HIGH(p) * ek_load(weights + 2 * i + EK_LANES));
    }
}

/* The products of a segment, one after the other; the first sum rises, the second falls. */
EK_INLINE void sum_up(const float *products, const int32_t count, float *sums)
{
    typedef float pair __attribute__((vector_size(8)));
    ek_quad sum = {0.0f, 0.0f, 0.0f, 0.0f};
    if (count > 0)
        sum = ek_load_quad(products);
    EK_UNROLL for (int32_t i = 1; i < count; i++)
        sum = sum + ek_load_quad(products + 2 * i);
    const pair both = __builtin_shufflevector(sum, sum, 0, 1);
    memcpy(sums, &both, sizeof both);
}

/* Those segments, next in order, that have `count` bins: no loop over so few. */
EK_INLINE const ek_mel_segment *sum_up_all(const ek_mel_segment *s, const ek_mel_segment *end,
                                           const float *products, const int count, float *sums)
{
    for (; s < end && s->count == count; s++)
        sum_up(products + 2 * s->weight, count, sums + 2 * s->first);
    return s;
}

/* Energies of all mel bins, as far as the last vector reaches. */
static void energies(const ek_log_mel_plan *plan, const float *products, float *values)
{
    const int32_t bins = plan->config.mel_bins;
    const ek_mel_segment *s = ek_plan_table(plan, plan->order), *end = s + bins + 1;
    float sums[2 * EK_MAX_MEL_BINS + 2 * EK_LANES + 2];
    EK_UNROLL for (int count = 0; count <= 8; count++)
        s = sum_up_all(s, end, products, count, sums);
    for (; s < end; s++)
        sum_up(products + 2 * s->weight, s->count, sums + 2 * s->first);
    for (int32_t m = 0; m < bins; m += EK_LANES) {
        const float *at = sums + 2 * m;
        const ek_f32 rising = EK_EVENS(ek_load(at), ek_load(at + EK_LANES));
        const ek_f32 falling = EK_ODDS(ek_load(at + 2), ek_load(at + 2 + EK_LANES));
        ek_store(values + m, rising + falling);
    }
}

/* In place, as far as the last group of vectors reaches. */
static void levels(const ek_log_mel_config *config, float *values)
{
    const float floor = config->floor, unit = unit_of(config);
    const int32_t bins = config->mel_bins;
    if (config->logarithm == EK_LOG_NONE)
        return;
    for (int32_t m = bins; m % (4 * EK_LANES) != 0; m++)
        values[m] = 1.0f;
    for (int32_t m = 0; m < bins; m += 4 * EK_LANES)
        EK_UNROLL for (int32_t i = m; i < m + 4 * EK_LANES; i += EK_LANES)
            ek_store(values + i, level_of(ek_load(values + i), floor, unit));
}

static void store_row(const ek_log_mel_plan *plan, const ek_workspace *w, float energy, float *out)
{
    const ek_log_mel_config *config = &plan->config;
    const float *from = w->levels;
    if (config->cepstra > 0) {
        cepstra(plan, w->levels, w->power);
        from = w->power;
    }
    const int32_t behind = config->energy && config->cepstra == 0;
    const float scale = plan->window_scale;
    memcpy(out + behind, from, (size_t)(plan->columns - behind) * sizeof *out);
    if (config->energy)
        out[0] = ek_lane(level_of(ek_splat(energy * (scale * scale)), config->floor, 1.0f), 0);
}

void EK_NAME(ek_log_mel_one)(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame)
{
    const ek_log_mel_config *config = &plan->config;
    ek_workspace w = workspace(plan, job->scratch);
    const int64_t start = (int64_t)(frame * (size_t)config->hop_samples) - job->before;
    const float *x = staged(plan, job, start, (size_t)config->frame_samples, w.samples);
    const float mean = config->remove_dc ? mean_of(plan, x) : 0.0f;
    const float energy = config->energy ? energy_of(x, config->frame_samples, mean) : 0.0f;
    if (config->preemphasis == 0.0f)
        windowed(plan, x, mean, 1, w.frame);
    else
        windowed(plan, x, mean, 0, w.frame);
    transform(plan, &w);
    power(plan, &w);
    if (config->magnitude)
        roots(w.power, (size_t)config->fft_samples / 2 + 1);
    products(plan, w.power, w.frame);
    energies(plan, w.frame, w.levels);
    levels(config, w.levels);
    store_row(plan, &w, energy, job->out + frame * (size_t)plan->columns);
}

#else
void EK_NAME(ek_log_mel_one)(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame)
{
    EK_NAME(ek_log_mel_group)(plan, job, frame);
}
#endif
