/* Quantiles of rolling windows: sorted buckets for one value after the other, sorted columns for
 * eight short windows side by side. Both find the same values. Compiled once per instruction set. */
#include "operations.h"
#include "wide.h"

/* How many of a run of sorted values, followed by infinities to a multiple of eight, are less. */
EK_INLINE int32_t count_less(const double *sorted, int32_t count, double value)
{
    int32_t less = 0;
#if EK_LANES == 1
    for (int32_t i = 0; i < count; i++)
        less += sorted[i] < value;
#else
    const ek_f64 bound = ek_f64_splat(value);
    ek_i64 sums = {0};
    for (int32_t i = 0; i < count; i += EK_WIDE)
    {
        const ek_wide v = ek_wide_load(sorted + i);
        EK_EACH_PART sums -= ek_f64_less(v.part[p], bound);
    }
    for (int lane = 0; lane < EK_PART; lane++)
        less += (int32_t)sums[lane];
#endif
    return less;
}

EK_INLINE void shift_cursors(ek_order *order, int32_t cursors, int32_t bucket, int32_t by)
{
    for (int32_t i = 0; i < cursors; i++)
        order->cursor[i].before += bucket < order->cursor[i].bucket ? by : 0;
}

EK_INLINE void insert(ek_order *order, int32_t cursors, double value)
{
    if (order->buckets == 0)
        ek_order_open(order);
    int32_t bucket = count_less(ek_order_tops(order), order->buckets, value);
    bucket -= bucket == order->buckets;
    if (ek_order_sizes(order)[bucket] == order->capacity) {
        ek_order_split(order, bucket);
        bucket += ek_order_tops(order)[bucket] < value;
    }
    double *cells = ek_order_cells(order, bucket);
    const int32_t size = ek_order_sizes(order)[bucket]++;
    const int32_t at = count_less(cells, size, value);
    memmove(cells + at + 1, cells + at, (size_t)(size - at) * sizeof *cells);
    cells[at] = value;
    ek_order_tops(order)[bucket] = cells[size];
    order->count++;
    shift_cursors(order, cursors, bucket, 1);
}

EK_INLINE void erase(ek_order *order, int32_t cursors, double value)
{
    const int32_t bucket = count_less(ek_order_tops(order), order->buckets, value);
    double *cells = ek_order_cells(order, bucket);
    const int32_t size = --ek_order_sizes(order)[bucket];
    const int32_t at = count_less(cells, size + 1, value);
    memmove(cells + at, cells + at + 1, (size_t)(size - at) * sizeof *cells);
    cells[size] = __builtin_inf();
    if (size)
        ek_order_tops(order)[bucket] = cells[size - 1];
    order->count--;
    shift_cursors(order, cursors, bucket, -1);
    if (size <= order->capacity / 4)
        ek_order_merge(order, bucket);
}

/* The value of a rank, and the next one. */
EK_INLINE void find_pair(ek_order *order, ek_cursor *cursor, int32_t rank, double *pair)
{
    const int32_t *sizes = ek_order_sizes(order);
    int32_t bucket = cursor->bucket, before = cursor->before;
    while (rank < before)
        before -= sizes[--bucket];
    while (rank >= before + sizes[bucket])
        before += sizes[bucket++];
    *cursor = (ek_cursor){bucket, before};
    const double *cell = ek_order_cells(order, bucket) + (rank - before);
    pair[0] = pair[1] = cell[0];
    if (rank + 1 < before + sizes[bucket])
        pair[1] = cell[1];
    else if (bucket + 1 < order->buckets)
        pair[1] = ek_order_cells(order, bucket + 1)[0];
}

EK_ROLLING_RANKS(EK_NAME(ek_rolling_ranks))
{
    const int32_t cursors = ranks->plan->config.quantile_count;
    for (int32_t i = 0; i < ranks->count; i++) {
        if (ranks->leave && ranks->leave[i] == ranks->leave[i])
            erase(order, cursors, ranks->leave[i]);
        if (ranks->enter[i] == ranks->enter[i])
            insert(order, cursors, ranks->enter[i]);
        for (int32_t q = 0; q < cursors && ranks->row[0] && order->count; q++) {
            const double place = ranks->plan->config.quantile[q] * (order->count - 1);
            const int32_t rank = (int32_t)place;
            double pair[2];
            find_pair(order, &order->cursor[q], rank, pair);
            ek_put(ranks->row[q], ranks->type, i, ek_between(pair[0], pair[1], place - rank));
        }
    }
}

/* One value into every column, whose greatest values are infinite and move out at the end. */
EK_INLINE void enter_columns(double *rows, int32_t window, ek_wide value)
{
    ek_wide last = ek_wide_splat(-__builtin_inf());
    for (int32_t r = 0; r < window; r++, rows += EK_WIDE) {
        const ek_wide here = ek_wide_load(rows);
        ek_wide_store(rows, ek_wide_most(last, ek_wide_least(here, value)));
        last = here;
    }
}

/* In every column one value leaves and one enters, in one pass from the least on: up to the
 * leaving one rows stay, then they move down; so changed, what lies above the entering one moves
 * up by one row. */
EK_INLINE void exchange_columns(double *rows, int32_t window, ek_wide leave, ek_wide enter)
{
    ek_wide last = ek_wide_splat(-__builtin_inf()), here = ek_wide_load(rows);
    for (int32_t r = 0; r < window; r++, rows += EK_WIDE) {
        const ek_wide next = ek_wide_load(rows + EK_WIDE);
        const ek_wide kept = ek_wide_where_less(here, leave, here, next);
        ek_wide_store(rows, ek_wide_most(last, ek_wide_least(kept, enter)));
        last = kept;
        here = next;
    }
}

/* Eight runs of windows that touch or overlap, one per lane. */
typedef struct {
    const ek_ranks *ranks;
    int32_t start[EK_WIDE];
    int32_t steps;
    double *side_by_side; /* samples of the runs, lane beside lane */
    double rows[(EK_COLUMNS_MAX_WINDOW + 1) * EK_WIDE];
    double found[EK_ROLLING_QUANTILES][EK_WIDE][EK_WIDE]; /* of up to eight steps */
} column_job;

EK_INLINE void lay_side_by_side(const column_job *job, int32_t count)
{
    for (int lane = 0; lane < EK_WIDE; lane++) {
        const double *from = job->ranks->enter + job->start[lane];
        for (int32_t i = 0; i < count; i++)
            job->side_by_side[EK_WIDE * i + lane] = from[i];
    }
}

/* ek_between, lane by lane. */
EK_INLINE ek_wide wide_between(ek_wide low, ek_wide high, double part)
{
    const ek_wide v = ek_wide_add(ek_wide_mul(low, ek_wide_splat(1.0 - part)),
                                  ek_wide_mul(high, ek_wide_splat(part)));
    return part == 0.0 ? low : ek_wide_least(high, ek_wide_most(low, v));
}

EK_INLINE void find_quantiles(column_job *job, int32_t step)
{
    const ek_rolling_config *config = &job->ranks->plan->config;
    for (int32_t q = 0; q < config->quantile_count; q++) {
        const double place = config->quantile[q] * (config->window - 1);
        const int32_t rank = (int32_t)place;
        const double *low = job->rows + EK_WIDE * rank;
        const double *high = rank + 1 < config->window ? low + EK_WIDE : low;
        ek_wide_store(job->found[q][step % EK_WIDE],
                      wide_between(ek_wide_load(low), ek_wide_load(high), place - rank));
    }
}

/* The steps since the last multiple of eight. */
EK_INLINE void put_quantiles(const column_job *job, int32_t step)
{
    const int32_t first = step / EK_WIDE * EK_WIDE;
    for (int32_t q = 0; q < job->ranks->plan->config.quantile_count; q++)
        for (int lane = 0; lane < EK_WIDE; lane++)
            for (int32_t i = first; i <= step; i++)
                ek_put(job->ranks->row[q], job->ranks->type, job->start[lane] + i,
                       job->found[q][i - first][lane]);
}

EK_ROLLING_COLUMNS(EK_NAME(ek_rolling_columns))
{
    column_job job;
    const int32_t window = ranks->plan->config.window;
    job.ranks = ranks;
    job.side_by_side = work;
    job.steps = (ranks->count + EK_WIDE - 1) / EK_WIDE;
    for (int i = 0; i < EK_WIDE; i++)
        job.start[i] = i * job.steps < ranks->count - job.steps ? i * job.steps
                                                                : ranks->count - job.steps;
    lay_side_by_side(&job, job.steps + window - 1);
    for (int32_t r = 0; r <= window; r++)
        ek_wide_store(job.rows + EK_WIDE * r, ek_wide_splat(__builtin_inf()));
    for (int32_t i = 0; i < window; i++)
        enter_columns(job.rows, i + 1, ek_wide_load(job.side_by_side + EK_WIDE * i));
    find_quantiles(&job, 0);
    for (int32_t i = 1; i < job.steps; i++) {
        if (i % EK_WIDE == 0)
            put_quantiles(&job, i - 1);
        const double *leave = job.side_by_side + EK_WIDE * (i - 1);
        exchange_columns(job.rows, window, ek_wide_load(leave),
                         ek_wide_load(leave + EK_WIDE * window));
        find_quantiles(&job, i);
    }
    put_quantiles(&job, job.steps - 1);
}
