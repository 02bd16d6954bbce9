/* Image to tensor in every mode, type and layout, from pixels and from camera planes: against plain
 * double loops over all pixels, at guard pages, with the same bits on every instruction set. */
#include <math.h>

#include "check.h"
#include "edgekit.h"

enum { MOST_SIDE = 48 };

static double clamped(double x) { return x < 0.0 ? 0.0 : x > 255.0 ? 255.0 : x; }

/* A camera's pixel, as the standards define it, in whole numbers. */
static double of_camera(const ek_image *image, int c, int x, int y)
{
    const double kr = image->matrix == EK_BT709 ? 0.2126 : 0.299, kb = image->matrix == EK_BT709 ? 0.0722 : 0.114;
    const ptrdiff_t at = y / 2 * image->chroma_row_stride + x / 2 * image->chroma_column_stride;
    double luma = image->data[y * image->row_stride + x * image->column_stride];
    double u = image->u[at] - 128.0, v = image->v[at] - 128.0;
    if (!image->full_range) {
        luma = fmax(luma - 16.0, 0.0) * 255.0 / 219.0;
        u *= 255.0 / 224.0;
        v *= 255.0 / 224.0;
    }
    const double red = luma + 2.0 * (1.0 - kr) * v, blue = luma + 2.0 * (1.0 - kb) * u;
    const double green = luma - (2.0 * kr * (1.0 - kr) * v + 2.0 * kb * (1.0 - kb) * u) / (1.0 - kr - kb);
    return floor(clamped(c == 0 ? red : c == 1 ? green : blue) + 0.5);
}

static double pixel_at(const ek_image *image, int c, int x, int y)
{
    if (image->u)
        return of_camera(image, c, x, y);
    return image->data[y * image->row_stride + x * image->column_stride + c * image->channel_stride];
}

/* The share that source pixel k has in the result's pixel `at` of `full`. */
static double share(int mode, int at, int full, int source, int k)
{
    const double scale = (double)source / full, centre = (at + 0.5) * scale, middle = k + 0.5;
    const double width = mode == EK_ANTIALIAS && scale > 1.0 ? scale : 1.0;
    if (mode == EK_AREA)
        return fmax(0.0, fmin(k + 1.0, (at + 1) * scale) - fmax(k, at * scale)) / scale;
    return fmax(0.0, 1.0 - fabs(middle - centre) / width);
}

/* With both ends of the source drawn out (bilinear), or the rest weighed up (antialias). */
static void find_shares(int mode, int at, int full, int source, double *shares)
{
    double sum = 0.0, position = (double)source / full * 0.5;
    for (int i = 0; i < at; i++)
        position += (double)source / full;
    for (int k = 0; k < source && mode == EK_NEAREST; k++)
        shares[k] = k == (position < source ? (int)position : source - 1);
    if (mode == EK_NEAREST)
        return;
    for (int k = 0; k < source; k++)
        sum += shares[k] = share(mode, at, full, source, k);
    if (mode == EK_BILINEAR) {
        shares[(at + 0.5) * source / full < 0.5 ? 0 : source - 1] += 1.0 - sum;
        return;
    }
    for (int k = 0; k < source && mode == EK_ANTIALIAS; k++)
        shares[k] /= sum;
}

static double wanted_at(const ek_image *image, const ek_tensor_config *config, int plane, int x, int y)
{
    double across[MOST_SIDE], down[MOST_SIDE], value = 0.0;
    const int cx = x - config->left, cy = y - config->top;
    if (cx < 0 || cy < 0 || cx >= config->inner_width || cy >= config->inner_height)
        return (double)config->fill[plane];
    find_shares(config->mode, cx + config->skip_x, config->full_width, image->width, across);
    find_shares(config->mode, cy + config->skip_y, config->full_height, image->height, down);
    for (int c = 0; c < 3; c++) {
        double sum = 0.0;
        for (int v = 0; v < image->height; v++)
            for (int u = 0; u < image->width; u++)
                if (across[u] != 0.0 && down[v] != 0.0)
                    sum += across[u] * down[v] * pixel_at(image, config->source[c], u, v);
        if (config->planes == 1 || c == plane)
            value += sum * (double)config->scale[c] + (double)config->offset[c];
    }
    return value;
}

static double from_half(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return half >> 15 ? -magnitude : magnitude;
}

static double found_at(const ek_tensor_config *config, const void *out, int plane, int x, int y)
{
    const int planes = config->planes, place = y * config->width + x;
    const int at = config->layout == EK_HWC ? place * planes + plane
                                            : plane * config->width * config->height + place;
    uint16_t half;
    float value;
    switch (config->type) {
    case EK_FLOAT16: return memcpy(&half, (const char *)out + 2 * at, 2), from_half(half);
    case EK_UINT8: return (((const uint8_t *)out)[at] - config->zero_point) * (double)config->quantum;
    case EK_INT8: return (((const int8_t *)out)[at] - config->zero_point) * (double)config->quantum;
    default: return memcpy(&value, (const char *)out + 4 * at, 4), (double)value;
    }
}

/* What a type can hold, and how finely. */
static void check_value(const ek_tensor_config *config, double found, double wanted, int camera)
{
    const double low = config->type == EK_INT8 ? -128.0 : 0.0;
    double allowed = 255.0 / 8192.0 / 60.0 + 4e-6; /* noise, weighed in 1 / 16384, twice */
    if (config->type == EK_FLOAT16)
        allowed += fabs(wanted) / 2048.0;
    if (config->type == EK_UINT8 || config->type == EK_INT8) {
        const double step = (double)config->quantum;
        wanted = fmax(fmin(wanted, (low + 255.0 - config->zero_point) * step), (low - config->zero_point) * step);
        allowed += step / 2.0;
    }
    allowed += camera ? 1.0 / 60.0 : 0.0; /* its pixels may be rounded the other way */
    CHECK(fabs(found - wanted) <= allowed, "mode %d type %d: %g, not %g", config->mode, config->type,
          found, wanted);
}

static void matches(const ek_image *image, const ek_tensor_config *config)
{
    static const int sizes[] = {4, 0, 0, 2, 1, 1};
    const size_t bytes = (size_t)config->planes * (size_t)config->width * (size_t)config->height *
                         (size_t)sizes[config->type];
    const size_t work_bytes = ek_image_scratch_bytes(config, image);
    CHECK(work_bytes != 0 && work_bytes % EK_ALIGNMENT == 0, "%zu", work_bytes);
    guarded result = guarded_new(bytes), work = guarded_new(work_bytes);
    char *portable = malloc(bytes), *out = guarded_end(&result, bytes);
    memset(guarded_start(&work), 0xff, work_bytes); /* NaN, wherever it is not written */
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
        const int status = ek_image_tensor(config, isa, image, out, guarded_end(&work, work_bytes));
        CHECK(status == EK_OK, "%d", status);
        if (isa == EK_PORTABLE)
            memcpy(portable, out, bytes);
        CHECK(memcmp(portable, out, bytes) == 0, "%s differs, mode %d", ek_isa_name(isa), config->mode);
    }
    for (int plane = 0; plane < config->planes; plane++)
        for (int y = 0; y < config->height; y++)
            for (int x = 0; x < config->width; x++)
                check_value(config, found_at(config, portable, plane, x, y),
                            wanted_at(image, config, plane, x, y), image->u != NULL);
    free(portable);
    guarded_free(&result);
    guarded_free(&work);
}

static int32_t below(uint64_t *state, int32_t limit)
{
    return (int32_t)(next_random(state) % (uint32_t)limit);
}

static ek_tensor_config any_config(uint64_t *state)
{
    ek_tensor_config config = {.source = {2, 1, 0}, .planes = below(state, 3) ? 3 : 1};
    static const int types[] = {EK_FLOAT32, EK_FLOAT16, EK_UINT8, EK_INT8};
    for (int c = 0; c < 3; c++) {
        config.scale[c] = 1.0f / (60.0f + (float)c) / (config.planes == 1 ? 3.0f : 1.0f);
        config.offset[c] = 0.1f * (float)c - 1.0f;
        config.fill[c] = 0.5f * (float)c;
    }
    config.mode = below(state, 4);
    config.layout = below(state, 2);
    config.type = types[below(state, 4)];
    config.quantum = 0.02f;
    config.zero_point = config.type == EK_INT8 ? below(state, 200) - 100 : below(state, 256);
    config.inner_width = 1 + below(state, MOST_SIDE);
    config.inner_height = 1 + below(state, MOST_SIDE);
    config.full_width = config.inner_width + below(state, 2) * below(state, 9);
    config.full_height = config.inner_height + below(state, 2) * below(state, 9);
    config.skip_x = below(state, config.full_width - config.inner_width + 1);
    config.skip_y = below(state, config.full_height - config.inner_height + 1);
    config.width = config.inner_width + below(state, 2) * below(state, 9);
    config.height = config.inner_height + below(state, 2) * below(state, 9);
    config.left = below(state, config.width - config.inner_width + 1);
    config.top = below(state, config.height - config.inner_height + 1);
    return config;
}

static void fill(uint8_t *data, size_t bytes, uint64_t *state)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(next_random(state) >> 24);
}

/* Pixels side by side or in planes, upside down, mirrored, with channels reversed, in gray. */
static void pixels_case(uint64_t *state)
{
    const int32_t w = 1 + below(state, MOST_SIDE), h = 1 + below(state, MOST_SIDE);
    const int32_t channels = 3 + below(state, 2), padding = below(state, 5);
    const ptrdiff_t row = w * channels + padding;
    const size_t bytes = (size_t)(row * (h - 1) + (w - 1) * channels + 3);
    guarded memory = guarded_new(bytes);
    uint8_t *data = below(state, 2) ? guarded_end(&memory, bytes) : guarded_start(&memory);
    fill(data, bytes, state);
    ek_image image = {.data = data, .row_stride = row, .column_stride = channels,
                      .channel_stride = 1, .width = w, .height = h};
    if (below(state, 4) == 0) {
        image.data += row * (h - 1);
        image.row_stride = -row;
    }
    if (below(state, 4) == 0) {
        image.data += (w - 1) * channels;
        image.column_stride = -channels;
    }
    if (below(state, 3) == 0) {
        image.data += 2;
        image.channel_stride = -1;
    } else if (below(state, 3) == 0)
        image.channel_stride = 0;
    const ek_tensor_config config = any_config(state);
    matches(&image, &config);
    guarded_free(&memory);
}

static void camera_case(uint64_t *state)
{
    const int32_t w = 1 + below(state, MOST_SIDE), h = 1 + below(state, MOST_SIDE);
    const int32_t cw = (w + 1) / 2, ch = (h + 1) / 2, together = below(state, 2);
    const size_t luma_bytes = (size_t)(w * h), chroma_bytes = (size_t)(2 * cw * ch);
    guarded memory = guarded_new(luma_bytes + chroma_bytes);
    uint8_t *data = guarded_end(&memory, luma_bytes + chroma_bytes), *chroma = data + luma_bytes;
    fill(data, luma_bytes + chroma_bytes, state);
    ek_image image = {.data = data, .row_stride = w, .column_stride = 1, .width = w, .height = h};
    image.u = chroma;
    image.v = together ? chroma + 1 : chroma + cw * ch;
    image.chroma_column_stride = together ? 2 : 1;
    image.chroma_row_stride = together ? 2 * cw : cw;
    image.matrix = below(state, 2);
    image.full_range = below(state, 2);
    const ek_tensor_config config = any_config(state);
    matches(&image, &config);
    guarded_free(&memory);
}

int main(void)
{
    uint64_t state = 8;
    for (int i = 0; i < 220; i++)
        pixels_case(&state);
    for (int i = 0; i < 80; i++)
        camera_case(&state);
    return 0;
}
