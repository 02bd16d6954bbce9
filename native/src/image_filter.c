/* Resizing by weighted sums of any number of pixels: of rows first, then of columns, in whole
 * numbers. */
#include <string.h>

#include "image_job.h"

/* An axis of the plan, while it is filled. */
typedef struct {
    int32_t *first;
    int32_t *taps;
    int16_t *weight;
    double *share;
    int32_t most_taps;
} ek_taps;

/* Where a centre lies between two pixels, rounding decides; Pillow and OpenCV add up as here. */
static void find_nearest(const ek_taps *taps, int32_t count, int32_t skip, int32_t full,
                         int32_t source)
{
    const double scale = (double)source / (double)full;
    double centre = scale * 0.5;
    for (int32_t i = -skip; i < count; i++, centre += scale) {
        const int32_t pixel = centre < (double)source ? (int32_t)centre : source - 1;
        if (i < 0)
            continue;
        taps->first[i] = pixel;
        taps->taps[i] = 1;
        taps->weight[(ptrdiff_t)i * taps->most_taps] = 1 << EK_FILTER_BITS;
    }
}

/* Shares of [at, at + 1) * source / full, in 1 / full pixels, so exact. */
static int32_t area(int64_t at, int64_t full, int64_t source, int32_t *first, double *share)
{
    const int64_t begin = at * source, end = begin + source, from = begin / full;
    int32_t taps = 0;
    *first = (int32_t)from;
    for (int64_t k = from; k * full < end; k++) {
        const int64_t low = k * full > begin ? k * full : begin;
        const int64_t high = (k + 1) * full < end ? (k + 1) * full : end;
        share[taps++] = (double)(high - low) / (double)source;
    }
    return taps;
}

/* A triangle as wide as two pixels of the coarser grid; pixels are taken and weighed as Pillow
 * does it (Resample.c, precompute_coeffs). */
static int32_t triangle(int64_t at, int64_t full, int64_t source, int32_t *first, double *share)
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
                share[k - from] = part / sum;
            else
                sum += part;
        }
    *first = (int32_t)from;
    return (int32_t)(to - from);
}

/* Shares that sum to 1 as whole numbers that sum to 1 << EK_FILTER_BITS: what is rounded off goes to
 * the neighbour, where it matters least. */
static void make_whole(const double *share, int32_t taps, int16_t *weight)
{
    const int32_t whole = 1 << EK_FILTER_BITS;
    double sum = 0.0;
    for (int32_t t = 0, given = 0; t < taps; t++) {
        sum += share[t];
        const int32_t upto = t + 1 == taps ? whole : (int32_t)(sum * whole + 0.5);
        weight[t] = (int16_t)(upto - given);
        given = upto;
    }
}

static int32_t most_taps(int32_t mode, int32_t full, int32_t source)
{
    const int32_t whole = (source + full - 1) / full; /* pixels of the source per one, at most */
    const int32_t most = mode == EK_NEAREST ? 1 : mode == EK_AREA ? whole + 1 : 2 * whole + 2;
    return (most + 1 + EK_FILTER_PAD - 1) / EK_FILTER_PAD * EK_FILTER_PAD; /* one for make_even */
}

static void lay_axis(ek_image_plan *plan, ek_axis *axis, int32_t count, int32_t full,
                     int32_t source)
{
    const size_t n = (size_t)count;
    axis->most_taps = most_taps(plan->config.mode, full, source);
    axis->first = ek_piece(&plan->bytes, n * sizeof(int32_t));
    axis->taps = ek_piece(&plan->bytes, n * sizeof(int32_t));
    axis->weight = ek_piece(&plan->bytes, n * (size_t)axis->most_taps * sizeof(int16_t));
    axis->share = ek_piece(&plan->bytes, (size_t)axis->most_taps * sizeof(double));
}

/* Columns are read EK_FILTER_PAD pixels at a time, and as far as the widest of four reaches. */
static size_t pixels_of_sum(const ek_image_plan *plan)
{
    return (size_t)plan->image.width + (size_t)plan->across.most_taps + 2 * EK_FILTER_PAD;
}

static size_t numbers_of_sum(const ek_image_plan *plan)
{
    return pixels_of_sum(plan) * (size_t)plan->form.column_stride;
}

void ek_filter_lay(ek_image_plan *plan)
{
    const ek_tensor_config *c = &plan->config;
    lay_axis(plan, &plan->across, c->inner_width, c->full_width, plan->image.width);
    lay_axis(plan, &plan->down, c->inner_height, c->full_height, plan->image.height);
    const size_t numbers = numbers_of_sum(plan);
    plan->sum = ek_piece(&plan->scratch_bytes, numbers * sizeof(int16_t));
    if (plan->form.makes)
        plan->sums = ek_piece(&plan->scratch_bytes, numbers * sizeof(int32_t));
    if (EK_SPREADS)
        plan->spread = ek_piece(&plan->scratch_bytes, pixels_of_sum(plan) * 4 * sizeof(int16_t));
}

static void find_axis(const ek_taps *taps, int32_t mode, int32_t count, int32_t skip, int32_t full,
                      int32_t source)
{
    memset(taps->weight, 0, (size_t)count * (size_t)taps->most_taps * sizeof *taps->weight);
    if (mode == EK_NEAREST) {
        find_nearest(taps, count, skip, full, source);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t *first = &taps->first[i];
        taps->taps[i] = mode == EK_AREA ? area(i + skip, full, source, first, taps->share)
                                        : triangle(i + skip, full, source, first, taps->share);
        make_whole(taps->share, taps->taps[i], taps->weight + (ptrdiff_t)i * taps->most_taps);
    }
}

/* Columns begin at even pixels, with a weight of 0 where they did not. */
static void make_even(const ek_taps *taps, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        int16_t *weight = taps->weight + (ptrdiff_t)i * taps->most_taps;
        if (taps->first[i] % 2 == 0)
            continue;
        memmove(weight + 1, weight, (size_t)taps->taps[i] * sizeof *weight);
        *weight = 0;
        taps->first[i]--;
        taps->taps[i]++;
    }
}

static ek_taps taps_of(ek_image_plan *plan, const ek_axis *axis)
{
    return (ek_taps){ek_table_to_fill(plan, axis->first), ek_table_to_fill(plan, axis->taps),
                     ek_table_to_fill(plan, axis->weight), ek_table_to_fill(plan, axis->share),
                     axis->most_taps};
}

void ek_filter_fill(ek_image_plan *plan)
{
    const ek_tensor_config *c = &plan->config;
    const ek_taps across = taps_of(plan, &plan->across), down = taps_of(plan, &plan->down);
    find_axis(&across, c->mode, c->inner_width, c->skip_x, c->full_width, plan->image.width);
    make_even(&across, c->inner_width);
    for (int32_t x = 0; x < c->inner_width; x++)
        if (across.taps[x] > plan->across.widest)
            plan->across.widest = across.taps[x];
    find_axis(&down, c->mode, c->inner_height, c->skip_y, c->full_height, plan->image.height);
}

void ek_filter_start(ek_image_job *job)
{
    const ek_image_plan *plan = job->plan;
    memset(ek_scratch_piece(job, plan->sum), 0, numbers_of_sum(plan) * sizeof(int16_t));
    if (EK_SPREADS)
        memset(ek_scratch_piece(job, plan->spread), 0, pixels_of_sum(plan) * 4 * sizeof(int16_t));
}

/* In place all taps at once; of rows that are made, one after the other. */
static void sum_rows(ek_image_job *job, int32_t y)
{
    const ek_image_plan *plan = job->plan;
    const ek_row_form *form = &plan->form;
    const int32_t *first = ek_image_table(plan, plan->down.first);
    const int32_t taps = ((const int32_t *)ek_image_table(plan, plan->down.taps))[y];
    const int16_t *weight = ek_image_table(plan, plan->down.weight);
    const ptrdiff_t back = form->channel_stride < 0 ? 2 : 0; /* the lowest byte of a pixel */
    ek_row_sum sum = {.weight = weight + (ptrdiff_t)y * plan->down.most_taps};
    sum.count = (int32_t)((plan->image.width - 1) * form->column_stride + 3);
    sum.sums = ek_scratch_piece(job, plan->sums);
    sum.stride = plan->image.row_stride;
    sum.taps = form->makes ? 1 : taps;
    for (int32_t t = 0; t < taps; t += sum.taps, sum.weight += sum.taps) {
        sum.row = ek_row(job, first[y] + t) - back;
        sum.first = t == 0;
        sum.last = t + sum.taps == taps;
        job->operations->image.sum_rows(&sum, ek_scratch_piece(job, plan->sum));
    }
}

void ek_filter_row(ek_image_job *job, int32_t y, float *const *out)
{
    const ek_image_plan *plan = job->plan;
    const ek_tensor_config *config = &plan->config;
    sum_rows(job, y);
    ek_column_sum sum = {.row = ek_scratch_piece(job, plan->sum), .pixels = plan->image.width};
    sum.pairs = ek_scratch_piece(job, plan->spread);
    sum.pixel = (int32_t)plan->form.column_stride;
    sum.width = config->inner_width;
    sum.first = ek_image_table(plan, plan->across.first);
    sum.taps = ek_image_table(plan, plan->across.taps);
    sum.weight = ek_image_table(plan, plan->across.weight);
    sum.most_taps = plan->across.most_taps;
    sum.widest = plan->across.widest;
    for (int c = 0; c < 3; c++) {
        const int32_t source = config->source[c];
        sum.source[c] = plan->form.channel_stride < 0 ? 2 - source : source;
        sum.scale[c] = config->scale[c] / (1 << (EK_FILTER_BITS + EK_LEVEL_BITS));
        sum.offset[c] = config->offset[c];
    }
    job->operations->image.sum_columns(&sum, out);
}
