/* Image to tensor: against a plain double version, over strides, at guard pages. */
#include <math.h>

#include "check.h"
#include "edgekit.h"

enum { MOST_SIDE = 40 };

static const ek_tensor_config base = {
    .width = 1,
    .height = 1,
    .source = {2, 1, 0},
    .scale = {1.0f / 58.395f, 1.0f / 57.12f, 1.0f / 57.375f},
    .offset = {-2.1f, -2.0f, -1.8f}};

static double pixel(const ek_image *image, int c, int64_t x, int64_t y)
{
    x = x < 0 ? 0 : x < image->width ? x : image->width - 1;
    y = y < 0 ? 0 : y < image->height ? y : image->height - 1;
    return image->data[y * image->row_stride + x * image->column_stride + c * image->channel_stride];
}

static double reference(const ek_image *image, const ek_tensor_config *config, int c, int x, int y)
{
    const double u = (x + 0.5) * image->width / config->width - 0.5;
    const double v = (y + 0.5) * image->height / config->height - 0.5;
    const double fx = floor(u), fy = floor(v), px = u - fx, py = v - fy;
    const int s = config->source[c];
    const int64_t ix = (int64_t)fx, iy = (int64_t)fy;
    const double top = pixel(image, s, ix, iy) * (1 - px) + pixel(image, s, ix + 1, iy) * px;
    const double low = pixel(image, s, ix, iy + 1) * (1 - px) + pixel(image, s, ix + 1, iy + 1) * px;
    return (top * (1 - py) + low * py) * config->scale[c] + config->offset[c];
}

static void matches_the_reference(const ek_image *image, const ek_tensor_config *config, int at_end)
{
    const size_t out_bytes = 3 * (size_t)config->width * (size_t)config->height * sizeof(float);
    const size_t plan_bytes = ek_image_plan_bytes(config, image);
    CHECK(plan_bytes != 0 && plan_bytes % EK_ALIGNMENT == 0, "%zu", plan_bytes);
    guarded out = guarded_new(out_bytes), tables = guarded_new(plan_bytes);
    ek_image_plan *plan = (void *)guarded_end(&tables, plan_bytes);
    CHECK(ek_image_plan_build(config, image, plan, plan_bytes) == EK_OK, "plan");
    const size_t work_bytes = ek_image_plan_scratch_bytes(plan);
    CHECK(work_bytes != 0 && work_bytes % EK_ALIGNMENT == 0, "%zu", work_bytes);
    guarded work = guarded_new(work_bytes);
    float *portable = malloc(out_bytes);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
        float *found = at_end ? guarded_end(&out, out_bytes) : guarded_start(&out);
        const int status = ek_image_run(plan, isa, image->data, NULL, NULL, found,
                                        guarded_end(&work, work_bytes));
        CHECK(status == EK_OK, "%d", status);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < config->height; y++)
                for (int x = 0; x < config->width; x++) {
                    const double wanted = reference(image, config, c, x, y);
                    const float got = found[(c * config->height + y) * config->width + x];
                    CHECK(fabs(wanted - (double)got) < 255.0 / 32768.0 / 57.0 + 2e-6, "%g, not %g", (double)got, wanted);
                }
        if (isa == EK_PORTABLE)
            memcpy(portable, found, out_bytes);
        CHECK(memcmp(portable, found, out_bytes) == 0, "%s differs", ek_isa_name(isa));
    }
    free(portable);
    guarded_free(&out);
    guarded_free(&tables);
    guarded_free(&work);
}

/* Pixels of `channels` bytes in rows with padding, upside down or mirrored now and then. */
static void one_case(uint64_t *state)
{
    const int w = 1 + (int)(next_random(state) % MOST_SIDE), h = 1 + (int)(next_random(state) % MOST_SIDE);
    const int channels = 3 + (int)(next_random(state) % 2), padding = (int)(next_random(state) % 5);
    const ptrdiff_t row = w * channels + padding;
    const size_t bytes = (size_t)(row * (h - 1) + w * channels);
    guarded memory = guarded_new(bytes);
    const int at_end = (int)(next_random(state) % 2);
    uint8_t *data = at_end ? guarded_end(&memory, bytes) : guarded_start(&memory);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(next_random(state) >> 24);
    ek_image image = {.data = data, .row_stride = row, .width = w, .height = h};
    image.column_stride = channels;
    image.channel_stride = 1;
    if (next_random(state) % 4 == 0) {
        image.data += row * (h - 1);
        image.row_stride = -row;
    }
    if (next_random(state) % 4 == 0) {
        image.data += (w - 1) * channels;
        image.column_stride = -channels;
    }
    ek_tensor_config config = base;
    config.width = next_random(state) % 8 == 0 ? w : 1 + (int32_t)(next_random(state) % MOST_SIDE);
    config.height = next_random(state) % 8 == 0 ? h : 1 + (int32_t)(next_random(state) % MOST_SIDE);
    matches_the_reference(&image, &config, at_end);
    guarded_free(&memory);
}

int main(void)
{
    uint64_t state = 3;
    for (int i = 0; i < 1500; i++)
        one_case(&state);
    return 0;
}
