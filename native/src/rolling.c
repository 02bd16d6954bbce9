/* Rolling statistics: series by series, tile by tile. */
#include "ranks_blocks.h"
#include "rolling_job.h"

static int needs_blocks(const ek_rolling_plan *plan)
{
    return plan->config.quantile_count && plan->config.window > EK_COLUMNS_MAX_WINDOW &&
           plan->config.window <= EK_BLOCKS_MAX_WINDOW;
}

size_t ek_rolling_scratch_bytes(const ek_rolling_plan *plan)
{
    if (!plan)
        return 0;
    return ek_aligned(sizeof(ek_rolling_scratch)) +
           (needs_blocks(plan) ? ek_aligned(ek_blocks_bytes()) : 0);
}

/* The window's samples, as they lie in two blocks, into the sorted collection. */
static void rebuild_order(ek_rolling_job *job)
{
    const int32_t at = job->state->at, window = job->plan->config.window;
    ek_ranks older = {job->plan, ek_raw_of(job, 1) + at, NULL, window - at, job->type, {NULL}};
    ek_ranks newer = {job->plan, ek_raw_of(job, 0), NULL, at, job->type, {NULL}};
    ek_order_start(ek_order_of(job), window);
    job->operations->rolling.ranks(ek_order_of(job), &older);
    job->operations->rolling.ranks(ek_order_of(job), &newer);
    job->state->order_is_stale = 0;
}

/* All windows that end in the tile at once: the samples before it, then the tile. */
static void rank_at_once(ek_rolling_job *job, int32_t count)
{
    const int32_t at = job->state->at, window = job->plan->config.window;
    double *samples = ek_tile_of(job) - (window - 1);
    const int32_t older = at < window ? window - at - 1 : 0, newer = window - 1 - older;
    memcpy(samples, ek_raw_of(job, 1) + at + 1, (size_t)older * sizeof *samples);
    memcpy(samples + older, ek_raw_of(job, 0) + at - newer, (size_t)newer * sizeof *samples);
    ek_ranks found = {job->plan, samples, NULL, count, job->type, {NULL}};
    memcpy(found.row, job->quantile_row, sizeof found.row);
    if (needs_blocks(job->plan))
        ek_rank_blocks(&found, (char *)job->scratch + ek_aligned(sizeof *job->scratch));
    else
        job->operations->rolling.columns(&found, (double *)(void *)job->scratch->passing);
    job->state->order_is_stale = 1;
}

/* The mean that decays forgets nothing: what it cannot add up makes NaN of all that follows. */
static int32_t sound_samples(const ek_rolling_job *job, int32_t count)
{
    const int ignored = job->plan->config.nan_policy == EK_NAN_IGNORE;
    const double *samples = ek_tile_of(job);
    int32_t sound = job->state->spoiled ? 0 : count;
    for (int32_t i = 0; job->gaps && i < sound; i++)
        if (!ek_is_finite(samples[i]) && !(ignored && samples[i] != samples[i]))
            sound = i;
    job->state->spoiled |= sound < count;
    return sound;
}

static void decay(ek_rolling_job *job, int32_t count)
{
    const ek_rolling_config *config = &job->plan->config;
    ek_rolling_state *state = job->state;
    const double *samples = ek_tile_of(job);
    double *out = job->scratch->passing[0];
    const int32_t sound = sound_samples(job, count);
    int32_t begin = 0;
    while (!state->decay_begun && begin < sound && !ek_is_finite(samples[begin]))
        out[begin++] = __builtin_nan("");
    if (!state->decay_begun && begin < sound) {
        state->decay_begun = 1;
        state->decayed[0] = config->ewma_adjust ? 0.0 : samples[begin] / config->ewma_alpha;
        state->decayed[1] = config->ewma_adjust ? 0.0 : 1.0 / config->ewma_alpha;
    }
    job->operations->rolling.decay(job->plan, state, samples + begin, sound - begin, job->gaps,
                                   out + begin);
    for (int32_t i = sound; i < count; i++)
        out[i] = __builtin_nan("");
    job->operations->rolling.give(out, count, job->type, job->row[EK_ROLLING_EWMA]);
}

/* Ranking at once needs a full window of finite samples, and pays for enough new ones. */
static int ranks_at_once(const ek_rolling_job *job, int32_t count)
{
    const int32_t window = job->plan->config.window;
    return job->plan->config.quantile_count && window <= EK_BLOCKS_MAX_WINDOW && !job->gaps &&
           !job->state->gaps.count && count >= window && count >= 4 * EK_ROLLING_PAD;
}

static void tile(ek_rolling_job *job, int32_t count)
{
    const int ranked = ranks_at_once(job, count);
    if (ranked)
        rank_at_once(job, count);
    else if (job->plan->config.quantile_count && job->state->order_is_stale)
        rebuild_order(job);
    if (job->plan->wants_windows)
        ek_rolling_windows(job, count, ranked);
    if (job->row[EK_ROLLING_EWMA])
        decay(job, count);
}

static void find_rows(ek_rolling_job *job, char *out, size_t samples)
{
    const size_t bytes = samples * ek_size_of(job->type);
    const ek_rolling_config *config = &job->plan->config;
    for (int kind = 0; kind < EK_ROLLING_KINDS; kind++)
        job->row[kind] = config->row[kind] < 0 ? NULL : out + (size_t)config->row[kind] * bytes;
    for (int i = 0; i < config->quantile_count; i++)
        job->quantile_row[i] = out + (size_t)config->quantile_row[i] * bytes;
}

static void next_rows(ek_rolling_job *job, int32_t count)
{
    const size_t bytes = (size_t)count * ek_size_of(job->type);
    for (int kind = 0; kind < EK_ROLLING_KINDS; kind++)
        job->row[kind] += job->row[kind] ? bytes : 0;
    for (int i = 0; i < job->plan->config.quantile_count; i++)
        job->quantile_row[i] += bytes;
}

/* A window that fills, or that has gaps, is ranked one sample after the other: not for longer than
 * it takes to fill it. */
static size_t most_samples(const ek_rolling_job *job)
{
    const int32_t window = job->plan->config.window;
    const int one_by_one = job->plan->config.quantile_count && job->state->gaps.count;
    return one_by_one && window < EK_ROLLING_TILE ? (size_t)window + 8 * EK_ROLLING_PAD
                                                  : (size_t)EK_ROLLING_TILE;
}

static int32_t take(ek_rolling_job *job, const ek_series *series, size_t which, size_t from,
                    size_t most)
{
    const size_t rest = series->samples - from;
    const int32_t count = (int32_t)(rest < most ? rest : most);
    const char *data = (const char *)series->data + (ptrdiff_t)which * series->series_stride +
                       (ptrdiff_t)from * series->sample_stride;
    job->gaps = job->operations->rolling.take(data, series->sample_stride, series->sample_type,
                                              (size_t)count, ek_tile_of(job));
    return count;
}

static int all_are_finite(ek_rolling_job *job, const ek_series *series)
{
    for (size_t which = 0; which < series->series; which++)
        for (size_t i = 0; i < series->samples;) {
            i += (size_t)take(job, series, which, i, EK_ROLLING_TILE);
            if (job->gaps)
                return 0;
        }
    return 1;
}

static int arguments_are_sound(const ek_rolling_plan *plan, const void *state,
                               const ek_series *series, const void *out, const void *scratch)
{
    if (!plan || !state || !series || !scratch ||
        (series->sample_type != EK_FLOAT32 && series->sample_type != EK_FLOAT64))
        return EK_BAD_ARGUMENT;
    if (series->samples && series->series && (!series->data || !out))
        return EK_BAD_ARGUMENT;
    if (((uintptr_t)state | (uintptr_t)scratch) % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    return EK_OK;
}

int ek_rolling(const ek_rolling_plan *plan, int isa, void *state, size_t state_stride,
               const ek_series *series, void *out, void *scratch)
{
    ek_operations operations;
    const int status = arguments_are_sound(plan, state, series, out, scratch);
    if (status != EK_OK)
        return status;
    if (state_stride % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    ek_rolling_job job = {.plan = plan, .operations = &operations, .scratch = scratch};
    job.type = series->sample_type;
    if (plan->config.nan_policy == EK_NAN_ERROR && !all_are_finite(&job, series))
        return EK_BAD_SAMPLE;
    const size_t bytes = (size_t)plan->rows * series->samples * ek_size_of(job.type);
    for (size_t which = 0; which < series->series; which++) {
        job.state = (ek_rolling_state *)(void *)((char *)state + which * state_stride);
        if (!state_stride)
            ek_rolling_start(plan, state);
        find_rows(&job, (char *)out + which * bytes, series->samples);
        for (size_t i = 0, count; i < series->samples; i += count) {
            count = (size_t)take(&job, series, which, i, most_samples(&job));
            tile(&job, (int32_t)count);
            next_rows(&job, (int32_t)count);
        }
    }
    return EK_OK;
}
