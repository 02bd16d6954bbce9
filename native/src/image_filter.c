/* Resizing by weighted sums of any number of pixels: of rows first, then of columns. */
#include <string.h>

#include "image_job.h"

/* The nearest centre; where two are as near, the one behind. */
static int32_t nearest(int64_t at, int64_t full, int64_t source, int32_t *first, float *weight)
{
    *first = (int32_t)((2 * at + 1) * source / (2 * full));
    weight[0] = 1.0f;
    return 1;
}

/* Shares of [at, at + 1) * source / full, in 1 / full pixels, so exact. */
static int32_t area(int64_t at, int64_t full, int64_t source, int32_t *first, float *weight)
{
    const int64_t begin = at * source, end = begin + source, from = begin / full;
    int32_t taps = 0;
    *first = (int32_t)from;
    for (int64_t k = from; k * full < end; k++) {
        const int64_t low = k * full > begin ? k * full : begin;
        const int64_t high = (k + 1) * full < end ? (k + 1) * full : end;
        weight[taps++] = (float)((double)(high - low) / (double)source);
    }
    return taps;
}

/* A triangle as wide as two pixels of the coarser grid; pixels are taken and weighed as Pillow
 * does it (Resample.c, precompute_coeffs). */
static int32_t triangle(int64_t at, int64_t full, int64_t source, int32_t *first, float *weight)
{
    const double scale = (double)source / (double)full, width = scale > 1.0 ? scale : 1.0;
    const double centre = ((double)at + 0.5) * scale;
    const double low = centre - width + 0.5, high = centre + width + 0.5;
    const int64_t from = low > 0.0 ? (int64_t)low : 0;
    const int64_t to = high < (double)source ? (int64_t)high : source;
    double sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t k = from; k < to; k++) {
            const double far = ((double)k - centre + 0.5) / width;
            const double height = far < 0.0 ? 1.0 + far : 1.0 - far;
            const double part = height > 0.0 ? height : 0.0;
            if (pass)
                weight[k - from] = (float)(part / sum);
            else
                sum += part;
        }
    *first = (int32_t)from;
    return (int32_t)(to - from);
}

static int32_t most_taps(int32_t mode, int32_t full, int32_t source)
{
    const int32_t whole = (source + full - 1) / full; /* pixels of the source per one, at most */
    return mode == EK_NEAREST ? 1 : mode == EK_AREA ? whole + 1 : 2 * whole + 2;
}

static void prepare_axis(ek_taps *taps, int32_t mode, int32_t count, int32_t full, int32_t source,
                         ek_arena *arena)
{
    const size_t n = (size_t)count;
    taps->most_taps = most_taps(mode, full, source);
    taps->first = ek_piece(arena, n * sizeof *taps->first);
    taps->taps = ek_piece(arena, n * sizeof *taps->taps);
    taps->weight = ek_piece(arena, n * (size_t)taps->most_taps * sizeof *taps->weight);
}

static void find_axis(const ek_taps *taps, int32_t mode, int32_t count, int32_t skip, int32_t full,
                      int32_t source)
{
    for (int32_t i = 0; i < count; i++) {
        float *weight = taps->weight + (ptrdiff_t)i * taps->most_taps;
        int32_t *first = &taps->first[i];
        memset(weight, 0, (size_t)taps->most_taps * sizeof *weight);
        taps->taps[i] = mode == EK_NEAREST ? nearest(i + skip, full, source, first, weight)
                        : mode == EK_AREA  ? area(i + skip, full, source, first, weight)
                                           : triangle(i + skip, full, source, first, weight);
    }
}

void ek_filter_prepare(ek_image_job *job, ek_arena *arena)
{
    const ek_tensor_config *c = job->config;
    const ek_image *image = job->rows.image;
    prepare_axis(&job->across, c->mode, c->inner_width, c->full_width, image->width, arena);
    prepare_axis(&job->down, c->mode, c->inner_height, c->full_height, image->height, arena);
    /* Columns are read four floats at a time, and as far as the widest of four reaches. */
    const size_t pixels = (size_t)image->width + (size_t)job->across.most_taps + 2;
    const size_t bytes = pixels * (size_t)job->rows.column_stride * sizeof *job->sum;
    job->sum = ek_piece(arena, bytes);
    if (!arena->base)
        return;
    memset(job->sum, 0, bytes);
    find_axis(&job->across, c->mode, c->inner_width, c->skip_x, c->full_width, image->width);
    find_axis(&job->down, c->mode, c->inner_height, c->skip_y, c->full_height, image->height);
}

static void sum_rows(ek_image_job *job, int32_t y)
{
    ek_rows *rows = &job->rows;
    const int32_t first = job->down.first[y], taps = job->down.taps[y];
    const ptrdiff_t back = rows->channel_stride < 0 ? 2 : 0; /* the lowest byte of a pixel */
    ek_row_sum sum = {.weight = job->down.weight + (ptrdiff_t)y * job->down.most_taps};
    sum.count = (int32_t)((rows->image->width - 1) * rows->column_stride + 3);
    if (!rows->made[0]) {
        sum.row = ek_row(rows, first) - back;
        sum.stride = rows->image->row_stride;
        sum.taps = taps;
        job->operations->image.sum_rows(&sum, job->sum);
        return;
    }
    sum.taps = 1;
    for (int32_t t = 0; t < taps; t++, sum.weight++) {
        sum.row = ek_row(rows, first + t);
        sum.more = t > 0;
        job->operations->image.sum_rows(&sum, job->sum);
    }
}

void ek_filter_row(ek_image_job *job, int32_t y, float *const *out)
{
    const ek_tensor_config *config = job->config;
    sum_rows(job, y);
    ek_column_sum sum = {.row = job->sum, .pixel = (int32_t)job->rows.column_stride};
    sum.width = config->inner_width;
    sum.first = job->across.first;
    sum.taps = job->across.taps;
    sum.weight = job->across.weight;
    sum.most_taps = job->across.most_taps;
    for (int c = 0; c < 3; c++) {
        sum.source[c] = job->rows.channel_stride < 0 ? 2 - config->source[c] : config->source[c];
        sum.scale[c] = config->scale[c];
        sum.offset[c] = config->offset[c];
    }
    job->operations->image.sum_columns(&sum, out);
}
