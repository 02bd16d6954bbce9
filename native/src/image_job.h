/* The plan of an image's size and strides, and what a call works on. */
#ifndef EK_IMAGE_JOB_H
#define EK_IMAGE_JOB_H

#include "operations.h"

/* Weights of one axis: the result at x is the sum of taps[x] source pixels from first[x] on. */
typedef struct {
    size_t first;  /* int32 for each x */
    size_t taps;   /* int32 for each x */
    size_t weight; /* int16, most_taps for each x */
    size_t share;  /* double[most_taps]: of one x, while its weights are found */
    int32_t most_taps;
    int32_t widest; /* the most that one has */
} ek_axis;

/* The two source rows that a bilinear one lies between. */
typedef struct {
    int32_t near;
    int32_t far;
    float part; /* of the far one */
} ek_row_pair;

/* Rows as pixels of bytes: in place, or made of a camera's planes or of far strides. */
typedef struct {
    ptrdiff_t column_stride;
    ptrdiff_t channel_stride;
    int32_t makes; /* rows, one at a time; the last two are kept */
} ek_row_form;

struct ek_image_plan {
    ek_tensor_config config; /* with nothing left out */
    ek_image image;          /* without its pixels; is_camera says what it had */
    int32_t is_camera;
    int32_t passes; /* rows, through scratch: the result is not floats in three planes */
    ek_row_form form;
    ek_columns columns; /* its pointers are set for a call */
    ek_axis across;
    ek_axis down;
    size_t bytes;
    /* Byte offsets from the start of the plan. */
    size_t near;    /* ptrdiff_t for each column */
    size_t weights; /* int32 for each column */
    size_t windows; /* two ptrdiff_t for each 16 columns; 0: there are none */
    size_t places;  /* two uint8_t[64] for each 16 columns */
    size_t pairs;   /* ek_row_pair for each row */
    size_t around;  /* float[3][width]: what lies around the picture; 0 where nothing does */
    /* Byte offsets from the start of scratch. */
    size_t made;    /* two rows of pixels */
    size_t planes;  /* bilinear: two rows with their columns resized, int32[3][inner_width] */
    size_t sum;     /* others: a sum of rows */
    size_t sums;    /* and what there is of it, where rows come one after the other */
    size_t spread;  /* and the sum of rows in pairs of pixels, int16[8] for each two */
    size_t passing; /* float[3][inner_width]: on the way to the result */
    size_t scratch_bytes;
};

/* Memory is given out piece by piece, aligned: the offset of the next one. */
static inline size_t ek_piece(size_t *used, size_t bytes)
{
    const size_t at = *used;
    *used += ek_aligned(bytes);
    return at;
}

typedef struct {
    const ek_image_plan *plan;
    const ek_operations *operations;
    ek_image image;
    char *scratch;
    ek_columns columns;
    ek_blend blend;
    int32_t which[2]; /* rows that are made; -1: none */
    int32_t next_made;
    int32_t held[2]; /* rows whose columns are resized; -1: none */
    int32_t next_held;
} ek_image_job;

static inline const void *ek_image_table(const ek_image_plan *plan, size_t offset)
{
    return (const char *)plan + offset;
}

static inline void *ek_table_to_fill(ek_image_plan *plan, size_t offset)
{
    return (char *)plan + offset;
}

static inline void *ek_scratch_piece(const ek_image_job *job, size_t offset)
{
    return job->scratch + offset;
}

static inline int ek_is_filtered(const ek_image_plan *plan)
{
    return plan->config.mode != EK_BILINEAR;
}

void ek_rows_lay(ek_image_plan *plan);
const uint8_t *ek_row(ek_image_job *job, int32_t y);

/* Lay: where tables and scratch are. Fill: the tables. Start: what a call needs of them. */
void ek_bilinear_lay(ek_image_plan *plan);
void ek_bilinear_fill(ek_image_plan *plan);
void ek_bilinear_start(ek_image_job *job);
void ek_bilinear_row(ek_image_job *job, int32_t y, float *const *out);

void ek_filter_lay(ek_image_plan *plan);
void ek_filter_fill(ek_image_plan *plan);
void ek_filter_start(ek_image_job *job);
void ek_filter_row(ek_image_job *job, int32_t y, float *const *out);

/* ek_image_run with operations that the caller chooses; data, u and v in `pixels`. */
void ek_image_run_with(const ek_image_plan *plan, const ek_operations *operations,
                       const uint8_t *const *pixels, void *out, void *scratch);

#endif
