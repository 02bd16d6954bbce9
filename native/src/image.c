#include <math.h>
#include <string.h>

#include "operations.h"

static int config_is_sound(const ek_tensor_config *config)
{
    if (!config || config->width < 1 || config->height < 1 || config->width > EK_MAX_SIDE ||
        config->height > EK_MAX_SIDE)
        return 0;
    for (int c = 0; c < 3; c++)
        if (config->source[c] < 0 || config->source[c] > 2 || !isfinite(config->scale[c]) ||
            !isfinite(config->offset[c]))
            return 0;
    return 1;
}

static int image_is_sound(const ek_image *image)
{
    return image && image->data && image->width >= 1 && image->height >= 1 &&
           image->width <= EK_MAX_SIDE && image->height <= EK_MAX_SIDE;
}

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
static void find_packed(ek_columns *columns, const ek_image *image)
{
    const ptrdiff_t *channel = columns->channel, step = columns->step;
    const ptrdiff_t low = least(channel[0], least(channel[1], channel[2]));
    const ptrdiff_t high = most(channel[0], most(channel[1], channel[2]));
    columns->lead = low + least(0, step);
    const ptrdiff_t span = high - low + most(step, -step) + 1;
    const ptrdiff_t end = high + most(0, (image->width - 1) * step) + 1 - EK_PACKED_BYTES;
    int32_t first = 0, last = span <= EK_PACKED_BYTES ? columns->width : 0;
    while (first < last && columns->near[first] + columns->lead > end)
        first++;
    while (first < last && columns->near[last - 1] + columns->lead > end)
        last--;
    columns->packed_first = first;
    columns->packed_last = last;
    find_shuffles(columns);
}

static void find_columns(ek_columns *columns, ptrdiff_t *near, int32_t *weights,
                         const ek_tensor_config *config, const ek_image *image)
{
    for (int32_t x = 0; x < config->width; x++) {
        const ek_tap tap = tap_at(x, config->width, image->width);
        near[x] = tap.near * image->column_stride;
        weights[x] = ((1 << EK_WEIGHT_BITS) - tap.weight) | tap.weight * (1 << 16);
    }
    *columns = (ek_columns){.near = near, .weights = weights, .width = config->width};
    columns->step = image->width == 1 ? 0 : image->column_stride;
    for (int c = 0; c < 3; c++)
        columns->channel[c] = config->source[c] * image->channel_stride;
    find_packed(columns, image);
}

/* Scratch: the columns' places and weights, then two source rows as three planes each. */
size_t ek_image_scratch_bytes(const ek_tensor_config *config)
{
    if (!config_is_sound(config))
        return 0;
    const size_t width = (size_t)config->width;
    return ek_aligned(width * sizeof(ptrdiff_t)) + ek_aligned(width * sizeof(int32_t)) +
           2 * ek_aligned(3 * width * sizeof(int32_t));
}

typedef struct {
    const ek_tensor_config *config;
    const ek_image *image;
    const ek_operations *operations;
    ek_columns columns;
    int32_t *planes[2]; /* two source rows, resized */
    int32_t held[2];    /* which ones */
    int next;           /* which one to replace */
} ek_sampler;

static const uint8_t *source_row(const ek_sampler *s, int32_t y)
{
    return s->image->data + y * s->image->row_stride;
}

/* The source row `y`, resized; the two last used are kept. */
static int held_row(ek_sampler *s, int32_t y)
{
    for (int i = 0; i < 2; i++)
        if (s->held[i] == y) {
            s->next = !i;
            return i;
        }
    const int slot = s->next;
    s->operations->image.row(source_row(s, y), &s->columns, s->planes[slot]);
    s->held[slot] = y;
    s->next = !slot;
    return slot;
}

/* Rows at this scale are seldom needed twice: keeping them costs more than it saves. */
static int rows_are_far_apart(const ek_sampler *s)
{
    return s->image->height >= 2 * s->config->height;
}

static void sample_row(ek_sampler *s, int32_t near, int32_t far, const ek_blend *blend,
                       float *const *out)
{
    if (rows_are_far_apart(s)) {
        s->operations->image.pair(source_row(s, near), source_row(s, far), &s->columns, blend, out);
        return;
    }
    const int32_t *top = s->planes[held_row(s, near)];
    const int32_t *bottom = s->planes[held_row(s, far)];
    s->operations->image.blend(top, bottom, blend, s->config->width, out);
}

static void sample_rows(ek_sampler *s, float *out)
{
    const ek_tensor_config *config = s->config;
    const size_t plane = (size_t)config->width * config->height;
    ek_blend blend;
    for (int c = 0; c < 3; c++) {
        blend.scale[c] = config->scale[c] / (1 << EK_WEIGHT_BITS);
        blend.offset[c] = config->offset[c];
    }
    for (int32_t y = 0; y < config->height; y++, out += config->width) {
        const ek_tap tap = tap_at(y, config->height, s->image->height);
        const int32_t far = s->image->height > 1 ? tap.near + 1 : 0;
        float *const rows[3] = {out, out + plane, out + 2 * plane};
        blend.part = tap.part;
        sample_row(s, tap.part < 1.0f ? tap.near : far, tap.part > 0.0f ? far : tap.near, &blend,
                   rows);
    }
}

int ek_image_tensor(const ek_tensor_config *config, int isa, const ek_image *image, float *out,
                    void *scratch)
{
    ek_operations operations;
    if (!config_is_sound(config) || !image_is_sound(image) || !out || !scratch)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)scratch % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    const size_t width = (size_t)config->width;
    char *weights = (char *)scratch + ek_aligned(width * sizeof(ptrdiff_t));
    char *first = weights + ek_aligned(width * sizeof(int32_t));
    char *second = first + ek_aligned(3 * width * sizeof(int32_t));
    ek_sampler sampler = {
        config, image, &operations, {0}, {(int32_t *)first, (int32_t *)second}, {-1, -1}, 0};
    find_columns(&sampler.columns, scratch, (int32_t *)weights, config, image);
    sample_rows(&sampler, out);
    return EK_OK;
}
