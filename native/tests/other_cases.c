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

/* The same from the last row, column or channel on. */
static void turn(ptrdiff_t *stride, int32_t count)
{
    picture.start += (size_t)(*stride * (count - 1));
    *stride = -*stride;
}

/* Pixels or planes, in rows with padding; upside down, mirrored, in BGR or gray now and then. */
static void draw_pixels(source *from)
{
    ek_image *image = &picture.image;
    const int channels = 3 + draw_below(from, 2), planes = draw(from) % 4 == 0;
    image->column_stride = planes ? 1 : channels;
    image->row_stride = image->width * image->column_stride + draw_below(from, 5);
    image->channel_stride = planes ? image->row_stride * image->height : 1;
    picture.bytes = (size_t)(image->row_stride * (image->height - 1) +
                             image->column_stride * (image->width - 1) + 2 * image->channel_stride + 1);
    picture.start = 0;
    if (draw(from) % 4 == 0)
        turn(&image->row_stride, image->height);
    if (draw(from) % 4 == 0)
        turn(&image->column_stride, image->width);
    const uint32_t order = draw(from) % 8;
    if (order == 1)
        turn(&image->channel_stride, 3);
    else if (order == 2)
        image->channel_stride = 0;
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

static const uint8_t somewhere; /* for plans: they do not read pixels */

static ek_image image_at(const uint8_t *input)
{
    ek_image image = picture.image;
    image.data = input + picture.start;
    image.u = picture.u ? input + picture.u : NULL;
    image.v = picture.u ? input + picture.v : NULL;
    return image;
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
    const ek_image image = image_at(&somewhere);
    const size_t bytes = ek_image_plan_bytes(c, &image);
    return bytes <= 1 << 24 ? bytes : 0;
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

static int build_image(void *plan, size_t bytes)
{
    const ek_image image = image_at(&somewhere);
    return ek_image_plan_build(&picture.config, &image, plan, bytes);
}

static int measure_image(const void *plan, int isa, sizes *found)
{
    const ek_tensor_config *c = &picture.config;
    const size_t size = c->type == EK_FLOAT32 ? 4 : c->type == EK_FLOAT16 ? 2 : 1;
    const size_t pixels = (size_t)c->width * (size_t)c->height;
    (void)isa;
    *found = (sizes){picture.bytes, pixels * (c->planes == 1 ? 1 : 3) * size,
                     ek_image_plan_scratch_bytes(plan), 1};
    return found->work_bytes <= 1 << 24 && pixels <= 1 << 20;
}

static int64_t run_image(const void *plan, int isa, const void *input, void *out, void *work)
{
    const ek_image image = image_at(input);
    return ek_image_run(plan, isa, image.data, image.u, image.v, out, work);
}

/* The same of one image, without a plan. */
static void check_image(const void *plan, const void *input, const void *out)
{
    const ek_image image = image_at(input);
    sizes s;
    measure_image(plan, EK_PORTABLE, &s);
    void *found = aligned_new(s.out_bytes);
    void *scratch = aligned_new(ek_image_scratch_bytes(&picture.config, &image));
    CHECK(ek_image_tensor(&picture.config, EK_PORTABLE, &image, found, scratch) == EK_OK, "image");
    CHECK(same_bits(1, found, out, s.out_bytes), "image: without a plan it differs");
    free(found);
    free(scratch);
}

const operation image_operation = {
    "image", "480p image to 224x224", 1, draw_image, usual_image, build_image, measure_image,
    fill_bytes, run_image, check_image};

static struct {
    ek_rolling_config config;
    ek_series series; /* its data is set when it is run */
    size_t start, chunk, rows, input_bytes;
} roll;

static void usual_rolling(void)
{
    const ek_series series = {NULL, 4, 0, 10000, 1, EK_FLOAT32};
    roll.config = everything();
    roll.series = series;
    roll.start = 0;
    roll.chunk = 10000;
    roll.rows = ROWS;
    roll.input_bytes = 40000;
}

/* Series behind or beside one another, with values between theirs, backwards now and then. */
static void draw_layout(source *from, int32_t type)
{
    const size_t samples = draw(from) % 900, number = 1 + draw(from) % 2;
    const ptrdiff_t step = (1 + draw_below(from, 2)) * (ptrdiff_t)value_bytes(type);
    const int beside = draw_below(from, 2), backwards = samples && draw(from) % 4 == 0;
    const ptrdiff_t own = beside ? step * (ptrdiff_t)number : step;
    const ptrdiff_t other = beside ? step : step * (ptrdiff_t)samples;
    roll.start = backwards ? (size_t)own * (samples - 1) : 0;
    roll.series = (ek_series){NULL, backwards ? -own : own, other, samples, number, type};
    roll.input_bytes = (size_t)step * samples * number;
}

static size_t draw_rolling(source *from)
{
    ek_rolling_config *c = &roll.config;
    *c = everything();
    c->window = 2 + draw_below(from, draw(from) % 2 ? 20 : 400);
    c->min_samples = draw(from) % 2 ? c->window : 1 + draw_below(from, (uint32_t)c->window);
    c->nan_policy = draw_below(from, 3);
    c->ddof = c->min_samples > 1 ? draw_below(from, 2) : 0;
    c->ewma_adjust = draw_below(from, 2);
    int32_t *fields[] = {&c->window, &c->min_samples, &c->row[2], &c->quantile_count, &c->bins};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (draw_wild(from))
            *fields[i] = draw_below(from, 2000) - 1;
    draw_layout(from, draw(from) % 2 ? EK_FLOAT64 : EK_FLOAT32);
    roll.chunk = draw(from) % 2 ? roll.series.samples + 1 : 1 + draw(from) % 50;
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

static int all_finite(const ek_series *part)
{
    for (size_t i = 0; i < part->series; i++)
        for (size_t k = 0; k < part->samples; k++) {
            const char *at = (const char *)part->data + (ptrdiff_t)i * part->series_stride +
                             (ptrdiff_t)k * part->sample_stride;
            double wide;
            float narrow;
            memcpy(&narrow, at, sizeof narrow);
            if (part->sample_type == EK_FLOAT64)
                memcpy(&wide, at, sizeof wide);
            else
                wide = (double)narrow;
            if (!isfinite(wide))
                return 0;
        }
    return 1;
}

/* The next samples; where they are refused, and rightly, all must be as it was. */
static int64_t run_part(const ek_rolling_plan *plan, int isa, const ek_series *part, char *states,
                        char *out)
{
    const size_t each = ek_rolling_state_bytes(plan), bytes = each * part->series;
    if (roll.config.nan_policy != EK_NAN_ERROR || all_finite(part))
        return ek_rolling(plan, isa, states, each, part, out, states + bytes);
    char *before = malloc(bytes);
    CHECK(before, "no memory");
    memcpy(before, states, bytes);
    const int status = ek_rolling(plan, isa, states, each, part, out, states + bytes);
    CHECK(status == EK_BAD_SAMPLE, "a sample that is not finite gave %d", status);
    CHECK(memcmp(before, states, bytes) == 0, "refused samples changed the state");
    free(before);
    return EK_OK;
}

/* A chunk's rows follow one another in the result. */
static int64_t run_rolling(const void *plan, int isa, const void *input, void *out, void *work)
{
    const size_t state = ek_rolling_state_bytes(plan), size = value_bytes(roll.series.sample_type);
    int64_t status = EK_OK;
    for (size_t i = 0; i < roll.series.series; i++)
        if (ek_rolling_start(plan, (char *)work + i * state) != EK_OK)
            return EK_BAD_ARGUMENT;
    for (size_t at = 0; at < roll.series.samples && status == EK_OK; at += roll.chunk) {
        ek_series part = roll.series;
        part.data = (const char *)input + roll.start + (ptrdiff_t)at * part.sample_stride;
        part.samples = part.samples - at < roll.chunk ? part.samples - at : roll.chunk;
        status = run_part(plan, isa, &part, work, (char *)out + at * roll.rows * part.series * size);
    }
    return status;
}

/* Chunks have no say: each one's rows, from sample `at` on, are those of the whole. */
static void check_rolling(const void *plan, const void *input, const void *out)
{
    if (roll.config.nan_policy == EK_NAN_ERROR)
        return; /* a refused chunk is left out */
    const size_t size = value_bytes(roll.series.sample_type), all = roll.series.samples;
    const size_t rows = roll.rows * roll.series.series;
    char *whole = aligned_new(rows * all * size), *state = aligned_new(ek_rolling_state_bytes(plan));
    void *scratch = aligned_new(ek_rolling_scratch_bytes(plan));
    ek_series series = roll.series;
    series.data = (const char *)input + roll.start;
    CHECK(ek_rolling(plan, EK_PORTABLE, state, 0, &series, whole, scratch) == EK_OK, "whole");
    for (size_t at = 0; at < all; at += roll.chunk) {
        const size_t count = all - at < roll.chunk ? all - at : roll.chunk;
        for (size_t row = 0; row < rows; row++)
            CHECK(same_bits(size, whole + (row * all + at) * size,
                            (const char *)out + (at * rows + row * count) * size, count * size),
                  "rolling: chunks of %zu differ from the whole, row %zu", roll.chunk, row);
    }
    free(whole);
    free(state);
    free(scratch);
}

const operation rolling_operation = {
    "rolling", "sample of all statistics", 4, draw_rolling, usual_rolling, build_rolling,
    measure_rolling, fill_series, run_rolling, check_rolling};
