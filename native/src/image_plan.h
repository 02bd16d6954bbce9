/* Where the pixels of a row come from, and what a call works on. */
#ifndef EK_IMAGE_PLAN_H
#define EK_IMAGE_PLAN_H

#include "edgekit.h"

/* Weights of two neighbours are whole and sum to 1 << EK_WEIGHT_BITS: as int16 they can be
 * multiplied and added in pairs, which every instruction set does exactly. */
enum { EK_WEIGHT_BITS = 14, EK_PACKED_BYTES = 8, EK_WINDOW_BYTES = 192, EK_MAX_SIDE = 1 << 15 };

/* The columns of a resized row. Column x lies between the pixel at near[x] and the one `step`
 * bytes on; weights[x] holds the share of the first in its low half, of the second above. */
typedef struct {
    const ptrdiff_t *near;
    const int32_t *weights;
    ptrdiff_t channel[3];
    ptrdiff_t step;
    ptrdiff_t lead;       /* the least offset of the six bytes that one column needs */
    int32_t width;
    int32_t packed_first; /* columns in [first, last) need six of EK_PACKED_BYTES bytes in reach */
    int32_t packed_last;
    /* Per plane: a shuffle of two packed columns that brings the plane's near and far bytes
     * together, widened to 16 bits, and picks nothing (0x80) for the upper half; behind it the
     * same for the upper half. */
    uint8_t shuffles[3][2][16];
    /* Two windows per block of 16 columns, the last of which may overlap the one before: where in
     * the row the bytes begin that eight columns need, all in reach of EK_WINDOW_BYTES; and of each
     * column the places there of near and far bytes, plane by plane, and two that do not matter.
     * Or NULL. */
    const ptrdiff_t *window;
    const uint8_t *place;
} ek_columns;

/* value = (top + (bottom - top) * part) * scale + offset */
typedef struct {
    float part;
    float scale[3];
    float offset[3];
} ek_blend;

/* Weights of a filter are whole and sum to 1 << EK_FILTER_BITS. Rows between its two passes are in
 * 1 / (1 << EK_LEVEL_BITS) levels. All sums are whole numbers, and so the same in any order. */
enum { EK_FILTER_BITS = 14, EK_LEVEL_BITS = 7, EK_FILTER_GROUP = 4, EK_FILTER_PAD = 8 };

/* Weighted sums of `taps` rows of bytes, `stride` bytes apart. Where not all rows are there at
 * once, `sums` holds what came before; the last call gives the row. */
typedef struct {
    const uint8_t *row;
    ptrdiff_t stride;
    const int16_t *weight;
    int32_t taps;
    int32_t count; /* bytes of a row */
    int32_t *sums;
    int32_t first;
    int32_t last;
} ek_row_sum;

/* Weighted sums of pixels in a row, each pixel `pixel` numbers: column x of the result is that of
 * taps[x] pixels from first[x] on. It has most_taps weights, behind those of the column before;
 * most_taps is a multiple of EK_FILTER_PAD, what is not needed is 0. first[x] is even: the row may be
 * read in pairs of pixels, for which there is room. */
typedef struct {
    const int16_t *row;
    int16_t *pairs; /* four pairs of 16-bit numbers for each two pixels: a channel's side by side */
    int32_t pixels; /* of the row */
    int32_t pixel;
    int32_t width;
    const int32_t *first;
    const int32_t *taps;
    const int16_t *weight;
    int32_t most_taps;
    int32_t widest; /* the most of taps[] */
    int32_t source[3];
    float scale[3]; /* of sums, in levels / (1 << (EK_LEVEL_BITS + EK_FILTER_BITS)) */
    float offset[3];
} ek_column_sum;

/* A row of three or one planes, to where it belongs in the result. */
typedef struct {
    float *const *rows;
    int32_t planes;
    int32_t width;
    int32_t layout;
    int32_t type;
    float quantum;
    float zero_point;
    void *out[3]; /* of the planes, or of the pixels in out[0] */
} ek_emission;

/* Whether this architecture reads sums of rows in pairs of pixels. */
#ifdef __SSE2__
enum { EK_SPREADS = 1 };
#else
enum { EK_SPREADS = 0 };
#endif

static inline size_t ek_aligned(size_t bytes)
{
    return (bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
}

#endif
