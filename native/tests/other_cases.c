/* Cases of images and of rolling statistics. */
#include <math.h>

#include "operation.h"
#include "rolling.h"

enum { MOST_SIDE = 70, MOST_ROWS = EK_ROLLING_KINDS + EK_ROLLING_QUANTILES };

static struct {
    ek_tensor_config config;
    ek_image image; /* its pointers are set when it is run */
    size_t bytes, start, u, v;
} picture;

/* Rows with padding, upside down or mirrored now and then. */
static void draw_pixels(source *from)
{
    ek_image *image = &picture.image;
    const int channels = 3 + draw_below(from, 2), padding = draw_below(from, 5);
    const ptrdiff_t row = image->width * channels + padding;
    picture.bytes = (size_t)(row * (image->height - 1) + image->width * channels);
    image->row_stride = row;
    image->column_stride = channels;
    image->channel_stride = 1;
    picture.start = 0;
    if (draw(from) % 4 == 0) {
        picture.start += (size_t)(row * (image->height - 1));
        image->row_stride = -row;
    }
    if (draw(from) % 4 == 0) {
        picture.start += (size_t)((image->width - 1) * channels);
        image->column_stride = -channels;
    }
}

/* NV12 or I420 behind the luma. */
static void draw_camera(source *from)
{
    ek_image *image = &picture.image;
    const int interleaved = draw_below(from, 2);
    const int across = (image->width + 1) / 2, down = (image->height + 1) / 2;
    const size_t luma = (size_t)(image->width * image->height), plane = (size_t)(across * down);
    image->row_stride = image->width;
    image->column_stride = 1;
    image->chroma_column_stride = 1 + interleaved;
    image->chroma_row_stride = across * (1 + interleaved);
    picture.start = 0;
    picture.u = luma;
    picture.v = luma + (interleaved ? 1 : plane);
    picture.bytes = luma + 2 * plane;
    image->matrix = draw_below(from, 2);
    image->full_range = draw_below(from, 2);
}

static void draw_place(source *from, ek_tensor_config *c)
{
    c->inner_width = 1 + draw_below(from, (uint32_t)c->width);
    c->inner_height = 1 + draw_below(from, (uint32_t)c->height);
    c->left = draw_below(from, (uint32_t)(c->width - c->inner_width + 1));
    c->top = draw_below(from, (uint32_t)(c->height - c->inner_height + 1));
    c->full_width = c->inner_width + draw_below(from, 9);
    c->full_height = c->inner_height + draw_below(from, 9);
    c->skip_x = draw_below(from, (uint32_t)(c->full_width - c->inner_width + 1));
    c->skip_y = draw_below(from, (uint32_t)(c->full_height - c->inner_height + 1));
}

static void draw_wild_fields(source *from, ek_tensor_config *c)
{
    int32_t *fields[] = {&c->width, &c->planes, &c->mode, &c->layout, &c->type, &c->zero_point,
                         &c->left, &c->top, &c->inner_width, &c->full_width, &c->skip_y};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (draw_wild(from))
            *fields[i] = (int32_t)draw(from);
}

static size_t draw_image(source *from)
{
    static const int32_t types[] = {EK_FLOAT32, EK_FLOAT32, EK_FLOAT16, EK_UINT8, EK_INT8};
    ek_tensor_config *c = &picture.config;
    static const ek_tensor_config plain = {.scale = {0.017f, 0.0175f, 0.0174f},
        .offset = {-2.1f, -2.0f, -1.8f}, .fill = {0.5f, 0.25f, -1.0f}, .quantum = 0.02f};
    *c = plain;
    memset(&picture.image, 0, sizeof picture.image);
    picture.image.width = 1 + draw_below(from, MOST_SIDE);
    picture.image.height = 1 + draw_below(from, MOST_SIDE);
    c->width = draw(from) % 8 == 0 ? picture.image.width : 1 + draw_below(from, MOST_SIDE);
    c->height = draw(from) % 8 == 0 ? picture.image.height : 1 + draw_below(from, MOST_SIDE);
    for (int i = 0; i < 3; i++)
        c->source[i] = draw_below(from, 3);
    c->planes = draw(from) % 3 == 0 ? 1 : 3;
    c->mode = draw_below(from, 4);
    c->layout = draw_below(from, 2);
    c->type = types[draw(from) % COUNT(types)];
    if (draw(from) % 3 == 0)
        draw_place(from, c);
    draw_wild_fields(from, c);
    picture.u = 0;
    if (draw(from) % 3 == 0)
        draw_camera(from);
    else
        draw_pixels(from);
    return EK_ALIGNMENT;
}

static void usual_image(void)
{
    const ek_tensor_config usual = {224, 224, {0, 1, 2}, {0.017f, 0.0175f, 0.0174f},
                                    {-2.1f, -2.0f, -1.8f}, .planes = 3};
    const ek_image image = {.row_stride = 1920, .column_stride = 3, .channel_stride = 1,
                            .width = 640, .height = 480};
    picture.config = usual;
    picture.image = image;
    picture.bytes = 640 * 480 * 3;
    picture.start = picture.u = 0;
}

static int no_plan(void *plan, size_t bytes) { return (void)plan, (void)bytes, EK_OK; }

static ek_image image_at(const uint8_t *input)
{
    ek_image image = picture.image;
    image.data = input + picture.start;
    image.u = picture.u ? input + picture.u : NULL;
    image.v = picture.u ? input + picture.v : NULL;
    return image;
}

static int measure_image(const void *plan, int isa, sizes *found)
{
    static const uint8_t somewhere;
    const ek_tensor_config *c = &picture.config;
    const ek_image image = image_at(&somewhere);
    const size_t size = c->type == EK_FLOAT32 ? 4 : c->type == EK_FLOAT16 ? 2 : 1;
    const size_t work = ek_image_scratch_bytes(c, &image);
    (void)plan, (void)isa;
    if (work == 0 || work > 1 << 24 || (int64_t)c->width * c->height > 1 << 20)
        return 0;
    const size_t pixels = (size_t)c->width * (size_t)c->height;
    *found = (sizes){picture.bytes, pixels * (c->planes == 1 ? 1 : 3) * size, work, 1};
    return 1;
}

static int64_t run_image(const void *plan, int isa, const void *input, void *out, void *work)
{
    const ek_image image = image_at(input);
    (void)plan;
    return ek_image_tensor(&picture.config, isa, &image, out, work);
}

const operation image_operation = {
    "image", "480p image to 224x224", 1, 1, draw_image, usual_image, no_plan, measure_image,
    fill_bytes, run_image};

static struct {
    ek_rolling_config config;
    ek_series series; /* its data is set when it is run */
    size_t chunk, rows, input_bytes;
} roll;

static void usual_rolling(void)
{
    const ek_series series = {NULL, 4, 0, 10000, 1, EK_FLOAT32};
    roll.config = everything();
    roll.series = series;
    roll.chunk = 10000;
    roll.rows = ROWS;
    roll.input_bytes = 40000;
}

static size_t draw_rolling(source *from)
{
    ek_rolling_config *c = &roll.config;
    *c = everything();
    c->window = 2 + draw_below(from, draw(from) % 2 ? 20 : 400);
    c->min_samples = draw(from) % 2 ? c->window : 1 + draw_below(from, (uint32_t)c->window);
    c->nan_policy = draw_below(from, 2);
    c->ddof = c->min_samples > 1 ? draw_below(from, 2) : 0;
    c->ewma_adjust = draw_below(from, 2);
    int32_t *fields[] = {&c->window, &c->min_samples, &c->row[2], &c->quantile_count, &c->bins};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (draw_wild(from))
            *fields[i] = draw_below(from, 2000) - 1;
    const int32_t type = draw(from) % 2 ? EK_FLOAT64 : EK_FLOAT32;
    const size_t size = value_bytes(type), step = 1 + draw(from) % 2;
    const size_t samples = draw(from) % 900, number = 1 + draw(from) % 2;
    const ek_series series = {NULL, (ptrdiff_t)(step * size), (ptrdiff_t)(samples * step * size),
                              samples, number, type};
    roll.series = series;
    roll.chunk = draw(from) % 2 ? samples + 1 : 1 + draw(from) % 50;
    roll.input_bytes = samples * step * number * size;
    roll.rows = 0;
    for (int kind = 0; kind < EK_ROLLING_KINDS; kind++)
        roll.rows += c->row[kind] >= 0;
    const size_t bytes = ek_rolling_plan_bytes(c);
    roll.rows += bytes ? (size_t)c->quantile_count : 0;
    return bytes;
}

static int build_rolling(void *plan, size_t bytes)
{
    return ek_rolling_plan_build(&roll.config, plan, bytes);
}

static int measure_rolling(const void *plan, int isa, sizes *found)
{
    const size_t values = roll.series.samples * roll.series.series;
    (void)isa;
    *found = (sizes){roll.input_bytes, values * roll.rows * value_bytes(roll.series.sample_type),
                     ek_rolling_state_bytes(plan) * roll.series.series +
                         ek_rolling_scratch_bytes(plan), values};
    return roll.rows <= MOST_ROWS && found->work_bytes < 1 << 26;
}

static void fill_series(source *from, void *input, size_t bytes)
{
    if (roll.series.sample_type == EK_FLOAT64)
        fill_doubles(from, input, bytes);
    else
        fill_floats(from, input, bytes);
}

/* A chunk's rows follow one another in the result: the same for every instruction set. */
static int64_t run_rolling(const void *plan, int isa, const void *input, void *out, void *work)
{
    const size_t state = ek_rolling_state_bytes(plan), size = value_bytes(roll.series.sample_type);
    char *scratch = (char *)work + state * roll.series.series;
    int64_t status = EK_OK;
    for (size_t i = 0; i < roll.series.series; i++)
        if (ek_rolling_start(plan, (char *)work + i * state) != EK_OK)
            return EK_BAD_ARGUMENT;
    for (size_t at = 0; at < roll.series.samples && status == EK_OK; at += roll.chunk) {
        ek_series part = roll.series;
        part.data = (const char *)input + (ptrdiff_t)at * part.sample_stride;
        part.samples = part.samples - at < roll.chunk ? part.samples - at : roll.chunk;
        status = ek_rolling(plan, isa, work, state, &part,
                            (char *)out + at * roll.rows * part.series * size, scratch);
    }
    return status;
}

const operation rolling_operation = {
    "rolling", "sample of all statistics", 4, 4, draw_rolling, usual_rolling, build_rolling,
    measure_rolling, fill_series, run_rolling};
