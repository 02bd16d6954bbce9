#include <math.h>

#include "operations.h"

enum { EK_MAX_SIDE = 1 << 15 };

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

/* Centres of pixels coincide: (at + 1/2) * source / target - 1/2, in whole numbers, so exact. */
static ek_tap tap_at(int32_t at, int32_t target, int32_t source, ptrdiff_t stride)
{
    const int64_t position = (2 * (int64_t)at + 1) * source - target; /* in 1 / (2 target) pixels */
    const int64_t unit = 2 * (int64_t)target;
    if (position <= 0)
        return (ek_tap){0, 0, 0.0f};
    const int64_t near = position / unit;
    if (near >= source - 1)
        return (ek_tap){(source - 1) * stride, (source - 1) * stride, 0.0f};
    const float part = (float)((double)(position % unit) / (double)unit);
    return (ek_tap){(ptrdiff_t)near * stride, (ptrdiff_t)(near + 1) * stride, part};
}

static size_t aligned(size_t bytes)
{
    return (bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
}

/* Scratch: the columns' taps, then two source rows as three planes each. */
size_t ek_image_scratch_bytes(const ek_tensor_config *config)
{
    if (!config_is_sound(config))
        return 0;
    const size_t width = (size_t)config->width;
    return aligned(width * sizeof(ek_tap)) + 2 * aligned(3 * width * sizeof(float));
}

typedef struct {
    const ek_tensor_config *config;
    const ek_image *image;
    const ek_operations *operations;
    const ek_tap *columns;
    ptrdiff_t channel[3];
    float *planes[2];     /* two source rows, resampled */
    ptrdiff_t held[2];    /* their offsets in the image */
    int next;             /* which one to replace */
} ek_sampler;

/* The source row at `offset`, resampled; the two last used are kept. */
static int held_row(ek_sampler *s, ptrdiff_t offset)
{
    for (int i = 0; i < 2; i++)
        if (s->held[i] == offset) {
            s->next = !i;
            return i;
        }
    const int slot = s->next;
    s->operations->image_row(s->image->data + offset, s->channel, s->columns, s->config->width,
                             s->planes[slot]);
    s->held[slot] = offset;
    s->next = !slot;
    return slot;
}

static void sample_rows(ek_sampler *s, float *out)
{
    const int32_t width = s->config->width, height = s->config->height;
    for (int32_t y = 0; y < height; y++) {
        const ek_tap tap = tap_at(y, height, s->image->height, s->image->row_stride);
        const float *top = s->planes[held_row(s, tap.near)];
        const float *bottom = s->planes[held_row(s, tap.far)];
        for (int c = 0; c < 3; c++)
            s->operations->image_blend(top + (size_t)c * width, bottom + (size_t)c * width,
                                       tap.part, s->config->scale[c], s->config->offset[c], width,
                                       out + ((size_t)c * height + y) * width);
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
    ek_tap *columns = scratch;
    char *planes = (char *)scratch + aligned((size_t)config->width * sizeof(ek_tap));
    const size_t plane_bytes = aligned(3 * (size_t)config->width * sizeof(float));
    ek_sampler sampler = {config, image, &operations, columns, {0},
                          {(float *)planes, (float *)(planes + plane_bytes)},
                          {PTRDIFF_MIN, PTRDIFF_MIN}, 0};
    for (int c = 0; c < 3; c++)
        sampler.channel[c] = config->source[c] * image->channel_stride;
    for (int32_t x = 0; x < config->width; x++)
        columns[x] = tap_at(x, config->width, image->width, image->column_stride);
    sample_rows(&sampler, out);
    return EK_OK;
}
