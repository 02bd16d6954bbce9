/* What a rolling window needs, laid out once; and what one series remembers.
 *
 * Time is cut into blocks of one window. A window that ends in a block is a rear part of the block
 * before and a front part of this one. Both are summed on their own, nothing is ever subtracted:
 * a value that has left the window leaves no trace. Values are taken relative to the block's first
 * one, which lies in all its windows.
 */
#ifndef EK_ROLLING_PLAN_H
#define EK_ROLLING_PLAN_H

#include <string.h>

#include "edgekit.h"

enum {
    EK_ROLLING_TILE = 4096, /* samples worked on at a time */
    EK_ROLLING_PAD = 8,
    EK_SUMS = 3,
    EK_EXTREMES = 2,
    EK_COLUMNS_MAX_WINDOW = 64, /* up to here windows are sorted in columns, side by side, */
    EK_BLOCKS_MAX_WINDOW = 4096, /* up to here in blocks, if there are enough samples at once */
};

/* Places in a state, in bytes from its start; 0 for what is not wanted. */
typedef struct {
    size_t raw[2];             /* blocks as they came, missing values NaN */
    size_t sums[EK_SUMS];      /* of the block before, from a place to its end: d, d d, p d */
    size_t extremes[EK_EXTREMES];
    size_t counts;             /* of the entropy's bins */
    size_t order;              /* ek_order, and what it points at */
    size_t total;
} ek_rolling_layout;

struct ek_rolling_plan {
    ek_rolling_config config;
    int32_t rows;
    int32_t padded;            /* the window in whole groups of EK_ROLLING_PAD */
    int32_t wants_sums, wants_slope, wants_extremes, wants_windows;
    double inverse_window, inverse_freedom; /* 1 / window, 1 / (window - ddof) */
    double inverse_spread;     /* 1 over the sum of (p - mean p) squared */
    double decay[4][8];        /* powers of 1 - alpha: for the three steps of a scan and the rest */
    double all_ones[8];        /* what a scan makes of eight ones */
    double inverse_bin;
    size_t terms;              /* of the entropy: n ln n as int64 in 1 / 2^40, in bytes from the plan */
    ek_rolling_layout layout;
};

/* Positions of values that are missing from the window, counted from the block's first sample. */
typedef struct {
    int64_t count, sum, squares;
} ek_gaps;

typedef struct {
    int32_t at;                /* samples in the current block */
    int32_t current;           /* which raw block that is */
    int32_t nans, infinities, unfilled; /* places of the window that hold them, or nothing yet */
    int32_t gap_in_block[2];   /* whether a raw block has a place without a finite value */
    int32_t anchored;          /* whether that is the block's own value */
    int32_t order_is_stale;    /* windows were ranked without the sorted collection */
    int32_t spoiled;           /* the decaying mean has met what it never forgets */
    int32_t decay_fill;        /* samples in decay_raw */
    int32_t decay_begun;
    double anchor;             /* what the sums of this block are relative to */
    double sums[EK_SUMS];      /* of the current block's whole groups */
    double extremes[EK_EXTREMES];
    ek_gaps gaps;
    double decay_raw[8];
    double decayed[2];         /* weighted sum, and sum of the weights */
    int64_t terms;             /* of the entropy: sum over the bins */
    int32_t counted;           /* values in the bins */
} ek_rolling_state;

static inline double *ek_doubles(void *base, size_t offset)
{
    return offset ? (double *)(void *)((char *)base + offset) : NULL;
}

static inline int ek_is_finite(double x) { return x - x == 0.0; }

/* Between two neighbours, as numpy.quantile's "linear"; infinities meet no zero. */
static inline double ek_between(double low, double high, double part)
{
    const double v = low * (1.0 - part) + high * part;
    return part == 0.0 || v < low ? low : v > high ? high : v;
}

static inline void ek_put(void *row, int type, int32_t at, double value)
{
    const float narrow = (float)value;
    if (type == EK_FLOAT64)
        memcpy((double *)row + at, &value, sizeof value);
    else
        memcpy((float *)row + at, &narrow, sizeof narrow);
}

#endif
