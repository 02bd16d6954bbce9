/* Bilinear without antialiasing, as OpenCV's INTER_LINEAR on float images. */
#include <string.h>

#include "image_job.h"

/* Between which two rows or columns of the source one of the target lies. */
typedef struct {
    int32_t near;   /* and near + 1, unless the source has only one */
    int32_t weight; /* of the second one, in 1 / (1 << EK_WEIGHT_BITS) */
    float part;     /* the same, not rounded to a weight */
} ek_tap;

/* Centres of pixels coincide: (at + 1/2) * source / target - 1/2, in whole numbers, so exact. */
static ek_tap tap_at(int32_t at, int32_t target, int32_t source)
{
    const int64_t position = (2 * (int64_t)at + 1) * source - target; /* in 1 / (2 target) pixels */
    const int64_t unit = 2 * (int64_t)target;
    const int64_t whole = 1 << EK_WEIGHT_BITS;
    if (position <= 0 || source == 1)
        return (ek_tap){0, 0, 0.0f};
    const int64_t near = position / unit, rest = position % unit;
    if (near >= source - 1)
        return (ek_tap){source - 2, (int32_t)whole, 1.0f};
    const int32_t weight = (int32_t)((2 * rest * whole + unit) / (2 * unit));
    return (ek_tap){(int32_t)near, weight, (float)((double)rest / (double)unit)};
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

static void find_shuffles(ek_columns *columns)
{
    memset(columns->shuffles, 0x80, sizeof columns->shuffles);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 4; i++) {
            const uint8_t at = (uint8_t)(columns->channel[c] - columns->lead + i % 2 * columns->step);
            columns->shuffles[c][0][2 * i] = (uint8_t)(at + i / 2 * 8);
            columns->shuffles[c][1][2 * i + 8] = (uint8_t)(at + i / 2 * 8);
        }
}

/* The columns that may read EK_PACKED_BYTES bytes without leaving the row's own: all but the ones
 * at the end with the highest address. None when the six bytes of a column lie further apart. */
static void find_packed(ek_columns *columns, int32_t source_width)
{
    const ptrdiff_t *channel = columns->channel, step = columns->step;
    const ptrdiff_t low = least(channel[0], least(channel[1], channel[2]));
    const ptrdiff_t high = most(channel[0], most(channel[1], channel[2]));
    columns->lead = low + least(0, step);
    const ptrdiff_t span = high - low + most(step, -step) + 1;
    const ptrdiff_t end = high + most(0, (source_width - 1) * step) + 1 - EK_PACKED_BYTES;
    int32_t first = 0, last = span <= EK_PACKED_BYTES ? columns->width : 0;
    while (first < last && columns->near[first] + columns->lead > end)
        first++;
    while (first < last && columns->near[last - 1] + columns->lead > end)
        last--;
    columns->packed_first = first;
    columns->packed_last = last;
    find_shuffles(columns);
}

void ek_bilinear_prepare(ek_image_job *job, ek_arena *arena)
{
    const ek_tensor_config *config = job->config;
    const size_t width = (size_t)config->inner_width;
    const int32_t source_width = job->rows.image->width;
    ptrdiff_t *near = ek_piece(arena, width * sizeof *near);
    int32_t *weights = ek_piece(arena, width * sizeof *weights);
    for (int i = 0; i < 2; i++) {
        job->planes[i] = ek_piece(arena, 3 * width * sizeof *job->planes[i]);
        job->held[i] = -1;
    }
    if (!arena->base)
        return;
    for (int32_t x = 0; x < config->inner_width; x++) {
        const ek_tap tap = tap_at(x + config->skip_x, config->full_width, source_width);
        near[x] = tap.near * job->rows.column_stride;
        weights[x] = ((1 << EK_WEIGHT_BITS) - tap.weight) | tap.weight * (1 << 16);
    }
    job->columns = (ek_columns){.near = near, .weights = weights, .width = config->inner_width};
    job->columns.step = source_width == 1 ? 0 : job->rows.column_stride;
    for (int c = 0; c < 3; c++)
        job->columns.channel[c] = config->source[c] * job->rows.channel_stride;
    find_packed(&job->columns, source_width);
}

/* The source row `y`, resized; the two last used are kept. */
static int held_row(ek_image_job *job, int32_t y)
{
    for (int i = 0; i < 2; i++)
        if (job->held[i] == y) {
            job->next = !i;
            return i;
        }
    const int slot = job->next;
    job->operations->image.row(ek_row(&job->rows, y), &job->columns, job->planes[slot]);
    job->held[slot] = y;
    job->next = !slot;
    return slot;
}

/* Rows at this scale are seldom needed twice: keeping them costs more than it saves. */
static int rows_are_far_apart(const ek_image_job *job)
{
    return job->rows.image->height >= 2 * job->config->full_height;
}

void ek_bilinear_row(ek_image_job *job, int32_t y, float *const *out)
{
    const ek_tensor_config *config = job->config;
    const int32_t height = job->rows.image->height;
    const ek_tap tap = tap_at(y + config->skip_y, config->full_height, height);
    const int32_t below = height > 1 ? tap.near + 1 : 0;
    const int32_t near = tap.part < 1.0f ? tap.near : below, far = tap.part > 0.0f ? below : tap.near;
    ek_blend blend = {.part = tap.part};
    for (int c = 0; c < 3; c++) {
        blend.scale[c] = config->scale[c] / (1 << EK_WEIGHT_BITS);
        blend.offset[c] = config->offset[c];
    }
    if (rows_are_far_apart(job)) {
        const uint8_t *top = ek_row(&job->rows, near), *bottom = ek_row(&job->rows, far);
        job->operations->image.pair(top, bottom, &job->columns, &blend, out);
        return;
    }
    const int32_t *top = job->planes[held_row(job, near)];
    const int32_t *bottom = job->planes[held_row(job, far)];
    job->operations->image.blend(top, bottom, &blend, config->inner_width, out);
}
