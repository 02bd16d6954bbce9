/* Pictures that are wider than the harness draws: what one CPU can have of AVX-512, at guard pages. */
#include "check.h"
#include "image_job.h"

enum { MOST_WIDTH = 600, MOST_HEIGHT = 12, CASES = 600 };

/* Pixels of `channels` bytes, upside down or mirrored now and then, up to a page's end or from its
 * start. */
static ek_image draw_picture(uint64_t *state, guarded *memory)
{
    const int w = 1 + (int)(next_random(state) % MOST_WIDTH);
    const int h = 1 + (int)(next_random(state) % MOST_HEIGHT), channels = 3 + (int)(next_random(state) % 2);
    const size_t bytes = (size_t)(w * h * channels);
    *memory = guarded_new(bytes);
    uint8_t *data = next_random(state) % 2 ? guarded_end(memory, bytes) : guarded_start(memory);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(next_random(state) >> 24);
    ek_image image = {.data = data, .row_stride = w * channels, .column_stride = channels,
                      .channel_stride = 1, .width = w, .height = h};
    if (next_random(state) % 4 == 0) {
        image.data += image.row_stride * (h - 1);
        image.row_stride = -image.row_stride;
    }
    if (next_random(state) % 4 == 0) {
        image.data += image.column_stride * (w - 1);
        image.column_stride = -image.column_stride;
    }
    return image;
}

static ek_tensor_config draw_config(uint64_t *state, const ek_image *image)
{
    ek_tensor_config c = {.scale = {0.017f, 0.0175f, 0.0174f}, .offset = {-2.1f, -2.0f, -1.8f}};
    c.mode = (int32_t)(next_random(state) % 4);
    c.width = 1 + (int32_t)(next_random(state) % (uint32_t)(image->width / 2 + 1));
    c.height = 1 + (int32_t)(next_random(state) % (uint32_t)image->height);
    for (int i = 0; i < 3; i++)
        c.source[i] = (int32_t)(next_random(state) % 3);
    return c;
}

static void runs(const ek_image_plan *plan, int isa, uint32_t features, const ek_image *image, void *out)
{
    ek_operations operations;
    const size_t bytes = ek_image_plan_scratch_bytes(plan);
    guarded work = guarded_new(bytes);
    ek_operations_with(isa, features, &operations);
    const uint8_t *const pixels[3] = {image->data, NULL, NULL};
    ek_image_run_with(plan, &operations, pixels, out, guarded_end(&work, bytes));
    guarded_free(&work);
}

/* Whether the plan has windows, for which there must be cases. */
static int one_case(uint64_t *state)
{
    guarded memory;
    const ek_image image = draw_picture(state, &memory);
    const ek_tensor_config config = draw_config(state, &image);
    const size_t bytes = ek_image_plan_bytes(&config, &image);
    const size_t out_bytes = 3 * (size_t)config.width * (size_t)config.height * sizeof(float);
    guarded tables = guarded_new(bytes), out = guarded_new(out_bytes);
    ek_image_plan *plan = guarded_end(&tables, bytes);
    CHECK(ek_image_plan_build(&config, &image, plan, bytes) == EK_OK, "plan");
    float *found = guarded_end(&out, out_bytes), *portable = malloc(out_bytes);
    CHECK(portable, "no memory");
    runs(plan, EK_PORTABLE, 0, &image, portable);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        for (int less = 0; less < 2; less++) {
            const uint32_t without = less ? EK_CPU_AVX512_VBMI | EK_CPU_AVX512_VNNI : 0;
            memset(found, 0x5a, out_bytes);
            runs(plan, isa, ek_cpu_features() & ~without, &image, found);
            CHECK(memcmp(portable, found, out_bytes) == 0, "%s, less %d", ek_isa_name(isa), less);
        }
    const int windows = plan->windows != 0;
    free(portable);
    guarded_free(&memory);
    guarded_free(&tables);
    guarded_free(&out);
    return windows;
}

int main(void)
{
    uint64_t state = 11;
    int windows = 0;
    for (int i = 0; i < CASES; i++)
        windows += one_case(&state);
    CHECK(windows > CASES / 10 || !(ek_cpu_features() & EK_CPU_AVX512_VBMI), "%d", windows);
    return 0;
}
