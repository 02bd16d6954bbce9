/* Log-mel energies, one frame in each lane. Compiled once per instruction set. */
#include "fft.h"
#include "log_mel_steps.h"

/* A group of frames. Its samples reach as far as a whole group's, with zeros or anything. */
typedef struct {
    const float *x;
    size_t frames; /* at most EK_LANES */
    float *memory; /* for what is computed from the samples */
} ek_group;

static ek_group group_at(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame,
                         float *memory)
{
    const ek_log_mel_config *config = &plan->config;
    const size_t hop = (size_t)config->hop_samples, length = (size_t)config->frame_samples;
    const size_t left = job->frames - frame, frames = left < EK_LANES ? left : EK_LANES;
    const size_t whole = (EK_LANES - 1) * hop + length, count = (frames - 1) * hop + length;
    const int64_t start = (int64_t)(frame * hop) - job->before;
    const float *x = staged(plan, job, start, count, memory);
    if (count < whole && (x == memory || start + (int64_t)whole > (int64_t)job->readable)) {
        if (x != memory)
            memcpy(memory, x, count * sizeof *x);
        memset(memory + count, 0, (whole - count) * sizeof *x);
        x = memory;
    }
    return (ek_group){x, frames, memory + (whole + 15) / 16 * 16};
}

/* Frames that share no blocks have one each. */
static ek_f32 means(const ek_group *group, const ek_log_mel_plan *plan)
{
    const size_t block = (size_t)plan->sum_block, hop = (size_t)plan->config.hop_samples;
    const size_t length = (size_t)plan->config.frame_samples;
    const size_t step = hop % block == 0 ? block : hop;
    const size_t count = ((group->frames - 1) * hop + length - block) / step + 1;
    const size_t stride = 4 * (hop / step);
    float *sums = group->memory;
    ek_f32 total[4], more[4];
    for (size_t b = 0; b < count; b++)
        sum4(group->x + b * step, (int32_t)block, sums + 4 * b);
    ek_load_columns(sums, stride, total);
    for (size_t start = block; start < length; start += block) {
        sums += 4;
        ek_load_columns(sums, stride, more);
        EK_UNROLL for (int i = 0; i < 4; i++) total[i] = total[i] + more[i];
    }
    return ((total[0] + total[2]) + (total[1] + total[3])) / (float)length;
}

/* Frames have what their neighbours had a hop before: to shift it by a lane takes less than to load
 * and transpose it, from eight lanes on. */
enum { SHIFTS = EK_LANES > 4 };

/* Where windowed samples come from and go to. */
typedef struct {
    const float *x;
    const float *emphasized; /* x, emphasized; of the last frame only where SHIFTS */
    const float *window;
    float factor;
    size_t hop;
    int32_t length;
    ek_f32 *rows;
} ek_framing;

/* Row `row` by itself. Kaldi takes the sample before a frame to be its first one. */
static void emit_column(const ek_framing *f, int32_t row, ek_f32 shift)
{
    ek_f32 x = ek_load_column(f->x + row, f->hop);
    if (f->factor != 0.0f)
        x = x - ek_load_column(f->x + row - (row > 0), f->hop) * f->factor;
    f->rows[row] = (x - shift) * f->window[row];
}

/* Four rows, emphasized: rows i to i + 3, where `x` is what the call before had for four less. */
EK_INLINE void first_rows(const ek_framing *f, int32_t i, const int plain, ek_f32 *x, ek_f32 *e)
{
    const ek_f32 before = x[3];
    if (!SHIFTS) {
        ek_load_columns(f->emphasized + i, f->hop, e);
        return;
    }
    ek_load_columns(f->x + i, f->hop, x);
    EK_UNROLL for (int q = 0; q < 4; q++)
        e[q] = plain ? x[q] : x[q] - (q > 0 ? x[q - 1] : before) * f->factor;
}

/* Four rows, and those that are hops further on. */
EK_INLINE void emit_chain(const ek_framing *f, int32_t i, ek_f32 *e, const ek_f32 shift)
{
    const float *window = f->window, *last = f->emphasized + (EK_LANES - 1) * f->hop;
    const int32_t hop = (int32_t)f->hop, length = f->length;
    ek_f32 *rows = f->rows;
    for (;;) {
        EK_UNROLL for (int q = 0; q < 4; q++) rows[i + q] = (e[q] - shift) * window[i + q];
        i += hop;
        if (i + 4 > length)
            break;
        if (!SHIFTS)
            ek_load_columns(f->emphasized + i, f->hop, e);
        else
            EK_UNROLL for (int q = 0; q < 4; q++) e[q] = ek_shift_in(e[q], last + i + q);
    }
    for (; i < length; i++)
        emit_column(f, i, shift);
}

/* Fills `memory` where that is needed; what lies in `x` before the first block of rows. */
static ek_f32 emphasize_group(ek_framing *f, float *memory)
{
    const size_t skipped = SHIFTS ? (EK_LANES - 1) * f->hop : 0;
    const size_t span = (EK_LANES - 1) * f->hop + (size_t)f->length;
    float ends[EK_LANES] = {0}; /* the first frame's is not used */
    for (size_t l = 1; l < EK_LANES; l++)
        ends[l] = f->x[l * f->hop - 1];
    emphasize(f->x + skipped, span - skipped, f->factor, memory + skipped);
    f->emphasized = memory;
    return ek_load(ends);
}

EK_INLINE void windowed(const ek_group *group, const ek_log_mel_plan *plan, ek_f32 mean,
                        const int plain, ek_f32 *rows)
{
    const ek_log_mel_config *config = &plan->config;
    const int32_t length = config->frame_samples, hop = config->hop_samples;
    const int32_t reach = hop < length ? hop : length;
    ek_framing f = {group->x, group->x, ek_plan_table(plan, plan->window), config->preemphasis,
                    (size_t)hop, length, rows};
    ek_f32 shift = ek_splat(0.0f), x[4] = {shift, shift, shift, shift}, e[4];
    if (config->remove_dc)
        shift = mean * shift_weight(config);
    if (!plain)
        x[3] = emphasize_group(&f, group->memory);
    int32_t i = 0;
    for (; i + 4 <= reach; i += 4) {
        first_rows(&f, i, plain, x, e);
        emit_chain(&f, i, e, shift);
    }
    for (int32_t row = i; i < reach && row < length; row += hop)
        for (int32_t q = row; q < row + reach - i && q < length; q++)
            emit_column(&f, q, shift);
    if (!plain)
        emit_column(&f, 0, shift);
}

/* The transform but for its last stage, whose radix this returns; 1 where there is no later one. */
static int32_t transform(const ek_log_mel_plan *plan, ek_f32 *rows)
{
    const int32_t half = plan->config.fft_samples / 2, used = (plan->config.frame_samples + 1) / 2;
    const int32_t needed = 2 * ek_fft_needed(half, used, plan->radix);
    const int32_t last = plan->stage_count > 1 ? plan->radix[plan->stage_count - 1] : 1;
    for (int32_t i = plan->config.frame_samples; i < needed; i++)
        rows[i] = ek_splat(0.0f);
    ek_fft(rows, half, used, last, plan->radix, ek_plan_table(plan, plan->twiddles));
    return last;
}

/* Where the bins' power goes, and what it takes. */
typedef struct {
    int32_t blocks; /* of the last stage */
    const int32_t *slots;
    const float *re;
    const float *im;
    ek_f32 *bins;
} ek_spectrum;

EK_INLINE void last_stage(const ek_f32 *rows, int32_t slot, const int radix, ek_c32 *z)
{
    EK_UNROLL for (int q = 0; q < radix; q++) z[q] = ek_c_load(rows, slot + q);
    if (radix > 1)
        ek_dft(z, radix);
}

EK_INLINE void pair_power(const ek_spectrum *s, ek_c32 a, ek_c32 b, int32_t k, int32_t mirror)
{
    const ek_c32 w = {ek_splat(s->re[k]), ek_splat(s->im[k])};
    split_power(a, b, w, s->bins + k, s->bins + mirror);
}

/* The last stage and the power at once: output q of block r is element r + q * blocks, and its
 * mirror image output radix - 1 - q of block blocks - r, or radix - q of block 0. */
EK_INLINE void powers(const ek_spectrum *s, const ek_f32 *rows, const int radix)
{
    ek_c32 a[8], b[8];
    const int32_t blocks = s->blocks, half = radix * blocks;
    last_stage(rows, s->slots[0], radix, a);
    s->bins[0] = end_power(a[0].re + a[0].im);
    s->bins[half] = end_power(a[0].re - a[0].im);
    EK_UNROLL for (int q = 1; q <= radix / 2; q++)
        pair_power(s, a[q], a[radix - q], q * blocks, half - q * blocks);
    for (int32_t r = 1; 2 * r <= blocks; r++) {
        last_stage(rows, s->slots[r], radix, a);
        last_stage(rows, s->slots[blocks - r], radix, b);
        EK_UNROLL for (int q = 0; q < (radix + 1) / 2; q++)
            pair_power(s, a[q], b[radix - 1 - q], r + q * blocks, half - r - q * blocks);
        EK_UNROLL for (int q = 0; q < radix / 2; q++)
            pair_power(s, b[q], a[radix - 1 - q], (q + 1) * blocks - r, half - (q + 1) * blocks + r);
    }
}

static void power(const ek_log_mel_plan *plan, const ek_f32 *rows, int32_t radix, ek_f32 *bins)
{
    const int32_t half = plan->config.fft_samples / 2;
    const float *re = ek_plan_table(plan, plan->split), *im = re + ek_split_count(half);
    const ek_spectrum s = {half / radix, ek_plan_table(plan, plan->slots), re, im, bins};
    if (radix == 8)
        powers(&s, rows, 8);
    else if (radix == 5)
        powers(&s, rows, 5);
    else if (radix == 4)
        powers(&s, rows, 4);
    else if (radix == 3)
        powers(&s, rows, 3);
    else if (radix == 2)
        powers(&s, rows, 2);
    else
        powers(&s, rows, 1);
}

/* Energies of the triangles that rise and fall in a segment. */
EK_INLINE void energies(const ek_f32 *power, const float *weights, int32_t count, ek_f32 *rising,
                        ek_f32 *falling)
{
    if (count == 0) {
        *rising = *falling = ek_splat(0.0f);
        return;
    }
    ek_f32 up = power[0] * weights[0], down = power[0] * weights[1];
    for (int32_t i = 1; i < count; i++) {
        up = up + power[i] * weights[2 * i];
        down = down + power[i] * weights[2 * i + 1];
    }
    *rising = up;
    *falling = down;
}

/* The energies of the mel bins, one a row. */
static void mel_bins(const ek_log_mel_plan *plan, const ek_f32 *power, ek_f32 *values)
{
    const ek_mel_segment *segments = ek_plan_table(plan, plan->segments);
    const float *weights = ek_plan_table(plan, plan->weights);
    ek_f32 open, rising, falling;
    energies(power + segments->first, weights, segments->count, &open, &falling);
    for (int32_t m = 0; m < plan->config.mel_bins; m++) {
        const ek_mel_segment s = segments[m + 1];
        energies(power + s.first, weights + 2 * s.weight, s.count, &rising, &falling);
        values[m] = open + falling;
        open = rising;
    }
}

/* In place. Rows beyond `count`, up to three, become something. */
static void levels(const ek_log_mel_config *config, ek_f32 *values, int32_t count)
{
    const float floor = config->floor, unit = unit_of(config);
    if (config->logarithm == EK_LOG_NONE)
        return;
    for (int32_t i = count; i % 4 != 0; i++)
        values[i] = ek_splat(1.0f);
    for (int32_t i = 0; i < count; i += 4)
        EK_UNROLL for (int32_t q = i; q < i + 4; q++) values[q] = level_of(values[q], floor, unit);
}

/* Four coefficients at once: a sum over the mel bins each. */
static void cepstra(const ek_log_mel_plan *plan, const ek_f32 *values, ek_f32 *out)
{
    const int32_t stride = ek_cepstrum_stride(&plan->config);
    const float *cosines = ek_plan_table(plan, plan->cosines);
    for (int32_t c = 0; c < plan->config.cepstra; c += 4) {
        ek_f32 sums[4];
        EK_UNROLL for (int q = 0; q < 4; q++) sums[q] = values[0] * cosines[c + q];
        for (int32_t m = 1; m < plan->config.mel_bins; m++)
            EK_UNROLL for (int q = 0; q < 4; q++)
                sums[q] = sums[q] + values[m] * cosines[m * stride + c + q];
        EK_UNROLL for (int q = 0; q < 4; q++) out[c + q] = sums[q];
    }
}

static void store_rows(const ek_log_mel_plan *plan, ek_f32 *values, size_t frames, float *out)
{
    const size_t columns = (size_t)plan->columns;
    size_t i = 0;
    for (; i + 4 <= columns && frames == EK_LANES; i += 4)
        ek_store_columns(out + i, columns, values + i, EK_LANES);
    for (; i + 4 <= columns; i += 4)
        ek_store_columns(out + i, columns, values + i, frames);
    for (; i < columns; i++)
        for (size_t l = 0; l < frames; l++)
            out[l * columns + i] = ek_lane(values[i], (int)l);
}

/* In place, of rows that lie in the caller's memory: where lanes are empty, that takes fewer vectors. */
static void levels_of_rows(const ek_log_mel_config *config, float *values, size_t count)
{
    const float floor = config->floor, unit = unit_of(config);
    float rest[EK_LANES];
    size_t i = 0;
    if (config->logarithm == EK_LOG_NONE)
        return;
    for (; i + 4 * EK_LANES <= count; i += 4 * EK_LANES)
        EK_UNROLL for (size_t q = i; q < i + 4 * EK_LANES; q += EK_LANES)
            ek_store(values + q, level_of(ek_load(values + q), floor, unit));
    for (; i + EK_LANES <= count; i += EK_LANES)
        ek_store(values + i, level_of(ek_load(values + i), floor, unit));
    if (i == count)
        return;
    ek_store(rest, ek_splat(1.0f));
    memcpy(rest, values + i, (count - i) * sizeof *rest);
    ek_store(rest, level_of(ek_load(rest), floor, unit));
    memcpy(values + i, rest, (count - i) * sizeof *rest);
}

/* The logarithm of each frame's energy. */
static ek_f32 loudness(const ek_group *group, const ek_log_mel_plan *plan, ek_f32 mean)
{
    const ek_log_mel_config *config = &plan->config;
    const float scale = plan->window_scale;
    float sums[EK_LANES];
    for (int l = 0; l < EK_LANES; l++)
        sums[l] = energy_of(group->x + (size_t)l * (size_t)config->hop_samples,
                            config->frame_samples, config->remove_dc ? ek_lane(mean, l) : 0.0f);
    return level_of(ek_load(sums) * (scale * scale), config->floor, 1.0f);
}

const int EK_NAME(ek_log_mel_lanes) = EK_LANES;

/* Scratch: the rows of the transform, their power, then twice the span of a group. The levels of
 * the mel bins take the rows' place, the cepstra that of the power. */
void EK_NAME(ek_log_mel_group)(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame)
{
    const ek_log_mel_config *config = &plan->config;
    ek_f32 *rows = (ek_f32 *)job->scratch;
    ek_f32 *bins = rows + ek_log_mel_rows(plan); /* over the samples, by then read */
    const ek_group group = group_at(plan, job, frame, (float *)bins);
    const ek_f32 mean = config->remove_dc ? means(&group, plan) : ek_splat(0.0f);
    const ek_f32 energy = config->energy ? loudness(&group, plan, mean) : mean;
    const int32_t behind = config->energy && config->cepstra == 0; /* the energy */
    if (config->preemphasis == 0.0f)
        windowed(&group, plan, mean, 1, rows);
    else
        windowed(&group, plan, mean, 0, rows);
    power(plan, rows, transform(plan, rows), bins);
    if (config->magnitude)
        roots((float *)bins, EK_LANES * ((size_t)config->fft_samples / 2 + 1));
    float *out = job->out + frame * (size_t)plan->columns;
    mel_bins(plan, bins, rows + behind);
    if (group.frames < EK_LANES && config->cepstra == 0) {
        store_rows(plan, rows, group.frames, out);
        levels_of_rows(config, out, group.frames * (size_t)plan->columns);
        for (size_t l = 0; l < group.frames && behind; l++)
            out[l * (size_t)plan->columns] = ek_lane(energy, (int)l);
        return;
    }
    levels(config, rows + behind, config->mel_bins);
    if (config->cepstra > 0)
        cepstra(plan, rows, bins);
    rows = config->cepstra > 0 ? bins : rows;
    if (config->energy)
        rows[0] = energy;
    store_rows(plan, rows, group.frames, out);
}
