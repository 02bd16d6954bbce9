/* What a call of rolling statistics works on, tile by tile. */
#ifndef EK_ROLLING_JOB_H
#define EK_ROLLING_JOB_H

#include "operations.h"

/* Scratch: room for a window, and behind it a tile of samples; then what its statistics pass through;
 * then what ek_rank_blocks needs. */
typedef struct {
    double samples[EK_BLOCKS_MAX_WINDOW + EK_ROLLING_TILE];
    double passing[EK_SUMS][EK_ROLLING_TILE + 2 * EK_ROLLING_PAD];
    double extremes[EK_EXTREMES][EK_ROLLING_TILE + 2 * EK_ROLLING_PAD];
} ek_rolling_scratch;

typedef struct {
    const ek_rolling_plan *plan;
    const ek_operations *operations;
    ek_rolling_state *state;
    ek_rolling_scratch *scratch;
    int32_t type;
    char *row[EK_ROLLING_KINDS];          /* of this tile */
    char *quantile_row[EK_ROLLING_QUANTILES];
    int gaps;                             /* whether a sample of the tile is not finite */
} ek_rolling_job;

static inline size_t ek_size_of(int32_t type)
{
    return type == EK_FLOAT64 ? sizeof(double) : sizeof(float);
}

static inline double *ek_tile_of(const ek_rolling_job *job)
{
    return job->scratch->samples + EK_BLOCKS_MAX_WINDOW;
}

static inline double *ek_raw_of(const ek_rolling_job *job, int before)
{
    return ek_doubles(job->state, job->plan->layout.raw[job->state->current ^ before]);
}

static inline ek_order *ek_order_of(const ek_rolling_job *job)
{
    return (ek_order *)(void *)((char *)job->state + job->plan->layout.order);
}

/* Statistics of the windows that end in the tile; of quantiles unless they are `ranked` already. */
void ek_rolling_windows(ek_rolling_job *job, int32_t total, int ranked);

#endif
