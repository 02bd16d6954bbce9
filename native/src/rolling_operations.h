/* What rolling windows need from every instruction set. */
#ifndef EK_ROLLING_OPERATIONS_H
#define EK_ROLLING_OPERATIONS_H

#include "order.h"
#include "rolling_plan.h"

/* Whole groups of eight samples of a block. `behind` sums from each place to the block's end into
 * `out`; `ahead` sums from the block's start, joins that with `behind[i]`, what the block before
 * has to add, and leaves in `carry` the sums of whole groups. NULL: not wanted. */
typedef struct {
    const double *raw;
    int32_t groups;
    int32_t partial;      /* the last group is not full yet */
    int32_t position;     /* of raw[0], counted from the current block's first sample */
    double anchor;
    const double *behind[EK_SUMS];
    double *out[EK_SUMS];
    double *carry;
} ek_run;

/* `count` samples of one block, and the rows for their statistics; NULL for what is not wanted.
 * The sums are of the windows that end there. */
typedef struct {
    const ek_rolling_plan *plan;
    const double *raw;
    const double *leaving; /* the same places of the block before */
    const double *sums[EK_SUMS];
    double anchor;
    int32_t position;      /* of raw[0] in its block */
    int32_t count;
    int32_t type;
    void *row[EK_ROLLING_KINDS];
    void *quantile_row[EK_ROLLING_QUANTILES];
} ek_stretch;

/* Values that enter and leave a sorted collection, NaN for none (leave NULL: none at all), and rows
 * for the quantiles after each. */
typedef struct {
    const ek_rolling_plan *plan;
    const double *enter;
    const double *leave;
    int32_t count;
    int32_t type;
    void *row[EK_ROLLING_QUANTILES];
} ek_ranks;

#define EK_ROLLING_TAKE(name)                                                                      \
    int name(const char *from, ptrdiff_t stride, int type, size_t count, double *to)
#define EK_ROLLING_GIVE(name) void name(const double *from, int32_t count, int type, void *to)
#define EK_ROLLING_RUN(name) void name(const ek_run *run)
#define EK_ROLLING_FINISH(name) void name(const ek_stretch *stretch)
#define EK_ROLLING_DECAY(name)                                                                     \
    void name(const ek_rolling_plan *plan, ek_rolling_state *state, const double *samples,         \
              int32_t count, int gaps, double *out)
#define EK_ROLLING_RANKS(name) void name(ek_order *order, const ek_ranks *ranks)
#define EK_ROLLING_COLUMNS(name) void name(const ek_ranks *ranks, double *work)

typedef struct {
    /* Samples to doubles without -0; 0 when all are finite. */
    EK_ROLLING_TAKE((*take));
    EK_ROLLING_GIVE((*give));
    EK_ROLLING_RUN((*sums_behind));
    EK_ROLLING_RUN((*sums_ahead));
    /* Statistics of full windows from their sums. */
    EK_ROLLING_FINISH((*finish));
    EK_ROLLING_RUN((*extremes_behind));
    EK_ROLLING_RUN((*extremes_ahead));
    EK_ROLLING_DECAY((*decay));
    EK_ROLLING_RANKS((*ranks));
    /* Of the `count` windows that begin at enter[0], enter[1], ...; all samples are finite. `work`
     * holds count + 8 window + 8 of them. */
    EK_ROLLING_COLUMNS((*columns));
} ek_rolling_operations;

#define EK_DECLARE_ROLLING(isa)                                                                    \
    EK_ROLLING_TAKE(ek_rolling_take_##isa);                                                        \
    EK_ROLLING_GIVE(ek_rolling_give_##isa);                                                        \
    EK_ROLLING_RUN(ek_rolling_sums_behind_##isa);                                                  \
    EK_ROLLING_RUN(ek_rolling_sums_ahead_##isa);                                                   \
    EK_ROLLING_FINISH(ek_rolling_finish_##isa);                                                    \
    EK_ROLLING_RUN(ek_rolling_extremes_behind_##isa);                                              \
    EK_ROLLING_RUN(ek_rolling_extremes_ahead_##isa);                                               \
    EK_ROLLING_DECAY(ek_rolling_decay_##isa);                                                      \
    EK_ROLLING_RANKS(ek_rolling_ranks_##isa);                                                      \
    EK_ROLLING_COLUMNS(ek_rolling_columns_##isa);

#define EK_FILL_ROLLING(isa)                                                                       \
    (ek_rolling_operations)                                                                        \
    {                                                                                              \
        ek_rolling_take_##isa, ek_rolling_give_##isa, ek_rolling_sums_behind_##isa,                \
            ek_rolling_sums_ahead_##isa, ek_rolling_finish_##isa,                                  \
            ek_rolling_extremes_behind_##isa, ek_rolling_extremes_ahead_##isa,                     \
            ek_rolling_decay_##isa, ek_rolling_ranks_##isa, ek_rolling_columns_##isa               \
    }

#endif
