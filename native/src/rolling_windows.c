/* Statistics of windows: a tile is cut into stretches that lie in one block. */
#include "rolling_job.h"
#include "rolling_scalar.h"

static ek_run run_behind(const ek_rolling_job *job)
{
    ek_run run = {.raw = ek_raw_of(job, 1), .groups = job->plan->padded / EK_ROLLING_PAD};
    run.position = -job->plan->config.window;
    run.anchor = job->state->anchor;
    return run;
}

/* A block's sums are relative to its first finite value, or, as long as there is none, to the last
 * one of the block before: values that lie in all windows that end here and have any. */
static void anchor_block(ek_rolling_job *job, double first)
{
    ek_rolling_state *state = job->state;
    const double *before = ek_raw_of(job, 1);
    state->anchored = ek_is_finite(first);
    for (int32_t i = job->plan->config.window - 1; i >= 0 && !ek_is_finite(first); i--)
        first = before[i];
    state->anchor = ek_is_finite(first) ? first : 0.0;
    if (!job->plan->wants_sums)
        return;
    ek_run run = run_behind(job);
    for (int i = 0; i < EK_SUMS; i++) {
        run.out[i] = ek_doubles(state, job->plan->layout.sums[i]);
        state->sums[i] = 0.0;
    }
    job->operations->rolling.sums_behind(&run);
}

/* The block that was filled becomes the one before; its parts are summed from their ends. */
static void begin_block(ek_rolling_job *job, double first)
{
    ek_rolling_state *state = job->state;
    state->current ^= 1;
    state->at = 0;
    state->gap_in_block[state->current] = 0;
    ek_gaps_shift(&state->gaps, job->plan->config.window);
    anchor_block(job, first);
    if (!job->plan->wants_extremes)
        return;
    ek_run run = run_behind(job);
    for (int i = 0; i < EK_EXTREMES; i++) {
        run.out[i] = ek_doubles(state, job->plan->layout.extremes[i]);
        state->extremes[i] = i ? -__builtin_inf() : __builtin_inf();
    }
    job->operations->rolling.extremes_behind(&run);
}

/* The groups that hold a stretch. */
static ek_run run_of(const ek_rolling_job *job, const ek_stretch *stretch)
{
    const int32_t at = stretch->position, end = at + stretch->count;
    const int32_t first = at / EK_ROLLING_PAD * EK_ROLLING_PAD;
    ek_run run = {.raw = ek_raw_of(job, 0) + first, .position = first};
    run.groups = (end - first + EK_ROLLING_PAD - 1) / EK_ROLLING_PAD;
    run.partial = end % EK_ROLLING_PAD != 0;
    run.anchor = stretch->anchor;
    return run;
}

static void sums(ek_rolling_job *job, ek_stretch *stretch)
{
    ek_run run = run_of(job, stretch);
    for (int i = 0; i < EK_SUMS; i++) {
        const double *behind = ek_doubles(job->state, job->plan->layout.sums[i]);
        if (!behind)
            continue;
        run.behind[i] = behind + run.position + 1;
        run.out[i] = job->scratch->passing[i];
        stretch->sums[i] = run.out[i] + (stretch->position - run.position);
    }
    run.carry = job->state->sums;
    job->operations->rolling.sums_ahead(&run);
    job->operations->rolling.finish(stretch);
}

static void extremes(ek_rolling_job *job, const ek_stretch *stretch)
{
    ek_run run = run_of(job, stretch);
    for (int i = 0; i < EK_EXTREMES; i++) {
        run.behind[i] = ek_doubles(job->state, job->plan->layout.extremes[i]) + run.position + 1;
        run.out[i] = job->scratch->extremes[i];
    }
    run.carry = job->state->extremes;
    job->operations->rolling.extremes_ahead(&run);
    for (int i = 0; i < EK_EXTREMES; i++)
        if (stretch->row[EK_ROLLING_MIN + i])
            job->operations->rolling.give(run.out[i] + (stretch->position - run.position),
                                          stretch->count, job->type,
                                          stretch->row[EK_ROLLING_MIN + i]);
}

static void ranks(ek_rolling_job *job, const ek_stretch *stretch)
{
    ek_ranks found = {job->plan, stretch->raw, stretch->leaving, stretch->count, job->type, {NULL}};
    memcpy(found.row, stretch->quantile_row, sizeof found.row);
    job->operations->rolling.ranks(ek_order_of(job), &found);
}

/* Samples [done, done + count) of the tile, which fit into the block. */
static ek_stretch stretch_of(ek_rolling_job *job, int32_t done, int32_t count)
{
    const ek_rolling_state *state = job->state;
    ek_stretch stretch = {.plan = job->plan, .position = state->at, .count = count};
    stretch.raw = ek_raw_of(job, 0) + state->at;
    stretch.leaving = ek_raw_of(job, 1) + state->at;
    stretch.anchor = state->anchor;
    stretch.type = job->type;
    for (int kind = 0; kind < EK_ROLLING_KINDS; kind++)
        if (job->row[kind])
            stretch.row[kind] = job->row[kind] + (size_t)done * ek_size_of(job->type);
    for (int i = 0; i < job->plan->config.quantile_count; i++)
        stretch.quantile_row[i] = job->quantile_row[i] + (size_t)done * ek_size_of(job->type);
    return stretch;
}

static void hold_samples(ek_rolling_job *job, int32_t done, int32_t count)
{
    const double *samples = ek_tile_of(job) + done;
    ek_rolling_state *state = job->state;
    memcpy(ek_raw_of(job, 0) + state->at, samples, (size_t)count * sizeof *samples);
    for (int32_t i = count - 1; job->gaps && i >= 0; i--)
        if (!ek_is_finite(samples[i]))
            state->gap_in_block[state->current] = 1;
}

/* Whole blocks that nothing has to look at, before those that the next windows reach into. */
static int32_t blocks_to_skip(const ek_rolling_job *job, int32_t total, int ranked)
{
    const ek_rolling_plan *plan = job->plan;
    const int32_t window = plan->config.window;
    if (!ranked || plan->wants_sums || plan->wants_extremes || job->row[EK_ROLLING_ENTROPY])
        return 0;
    return total > 3 * window ? total / window - 3 : 0;
}

/* Samples from `done` on that go together: to the block's end, and to its first finite one. */
static int32_t next_stretch(ek_rolling_job *job, int32_t done, int32_t total)
{
    const int32_t window = job->plan->config.window;
    const double *samples = ek_tile_of(job) + done;
    ek_rolling_state *state = job->state;
    if (state->at == window)
        begin_block(job, samples[0]);
    else if (!state->anchored && ek_is_finite(samples[0]))
        anchor_block(job, samples[0]);
    const int32_t room = window - state->at, rest = total - done, most = rest < room ? rest : room;
    int32_t count = state->anchored ? most : 1;
    while (count < most && !ek_is_finite(samples[count]))
        count++;
    return count;
}

void ek_rolling_windows(ek_rolling_job *job, int32_t total, int ranked)
{
    ek_rolling_state *state = job->state;
    int32_t done = job->plan->config.window * blocks_to_skip(job, total, ranked);
    for (int32_t count; done < total; done += count) {
        count = next_stretch(job, done, total);
        hold_samples(job, done, count);
        ek_stretch stretch = stretch_of(job, done, count);
        if (job->plan->wants_sums)
            sums(job, &stretch);
        if (job->plan->wants_extremes)
            extremes(job, &stretch);
        if (stretch.row[EK_ROLLING_ENTROPY])
            ek_rolling_entropy(&stretch, state);
        if (job->plan->config.quantile_count && !ranked)
            ranks(job, &stretch);
        if (state->gaps.count || state->gap_in_block[0] || state->gap_in_block[1])
            ek_finish_gaps(&stretch, state);
        state->at += count;
    }
}
