/* What a call works on: an image, what becomes of it, and scratch given out piece by piece. */
#ifndef EK_IMAGE_JOB_H
#define EK_IMAGE_JOB_H

#include "operations.h"

/* Pieces of scratch; with `base` NULL only their size is found. */
typedef struct {
    char *base;
    size_t used;
} ek_arena;

static inline void *ek_piece(ek_arena *arena, size_t bytes)
{
    char *piece = arena->base ? arena->base + arena->used : NULL;
    arena->used += ek_aligned(bytes);
    return piece;
}

/* Rows of an image as pixels of bytes: in place, or made of a camera's planes or of far strides. */
typedef struct {
    const ek_image *image;
    ptrdiff_t column_stride;
    ptrdiff_t channel_stride;
    int makes; /* rows, one at a time; the last two are kept */
    uint8_t *made[2];
    int32_t which[2]; /* rows those are; -1: none */
    int32_t next;
} ek_rows;

/* Weights of one axis: result at x is the sum of taps[x] source pixels from first[x] on. */
typedef struct {
    int32_t *first;
    int32_t *taps;
    int16_t *weight;
    double *share; /* of one result, while its weights are found */
    int32_t most_taps;
} ek_taps;

typedef struct {
    const ek_tensor_config *config; /* with nothing left out */
    const ek_operations *operations;
    ek_rows rows;
    /* Bilinear: two source rows with their columns resized, and which ones. */
    ek_columns columns;
    int32_t *planes[2];
    int32_t held[2];
    int32_t next;
    /* Others: weights of both axes, a sum of rows. */
    ek_taps across;
    ek_taps down;
    int16_t *sum;
    int32_t *sums;
    /* Three rows on their way to the result, and of what lies around the picture. */
    float *passing[3];
    float *around[3];
} ek_image_job;

void ek_rows_prepare(ek_rows *rows, const ek_image *image, int dense, ek_arena *arena);
const uint8_t *ek_row(ek_rows *rows, int32_t y);

void ek_bilinear_prepare(ek_image_job *job, ek_arena *arena);
void ek_bilinear_row(ek_image_job *job, int32_t y, float *const *out);

void ek_filter_prepare(ek_image_job *job, ek_arena *arena);
void ek_filter_row(ek_image_job *job, int32_t y, float *const *out);

#endif
