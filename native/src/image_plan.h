/* Where the pixels of a row come from, and what a call works on. */
#ifndef EK_IMAGE_PLAN_H
#define EK_IMAGE_PLAN_H

#include "edgekit.h"

/* Weights of two neighbours are whole and sum to 1 << EK_WEIGHT_BITS: as int16 they can be
 * multiplied and added in pairs, which every instruction set does exactly. */
enum { EK_WEIGHT_BITS = 14, EK_PACKED_BYTES = 8, EK_MAX_SIDE = 1 << 15 };

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
} ek_columns;

/* value = (top + (bottom - top) * part) * scale + offset */
typedef struct {
    float part;
    float scale[3];
    float offset[3];
} ek_blend;

/* Weighted sums of `taps` rows of bytes, `stride` bytes apart. */
typedef struct {
    const uint8_t *row;
    ptrdiff_t stride;
    const float *weight;
    int32_t taps;
    int32_t count; /* bytes of a row */
    int32_t more;  /* add to what is there */
} ek_row_sum;

/* Weighted sums of pixels in a row of floats, each pixel `pixel` floats: column x of the result has
 * most_taps weights, behind those of the column before, of which taps[x] count, from first[x] on. */
typedef struct {
    const float *row;
    int32_t pixel;
    int32_t width;
    const int32_t *first;
    const int32_t *taps;
    const float *weight;
    int32_t most_taps;
    int32_t source[3];
    float scale[3];
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

static inline size_t ek_aligned(size_t bytes)
{
    return (bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
}

#endif
