/* The same bits on every machine: digests of results, taken once and equal ever after. A change of
 * these numbers is a change of every bundle's features; the failure prints the new ones. */
#include "check.h"
#include "presets.h"
#include "rolling.h"

/* FNV-1a, 64 bits, byte order of the value and not of the machine. */
static uint64_t digest(uint64_t hash, const void *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, (const char *)words + 4 * i, 4);
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (word >> shift & 0xff)) * UINT64_C(1099511628211);
    }
    return hash;
}

static uint64_t of_log_mel(const ek_log_mel_config *config, int isa)
{
    static char memory[1 << 17] __attribute__((aligned(64)));
    static float scratch[1 << 15] __attribute__((aligned(64))), samples[4800], out[1 << 18];
    uint64_t state = 11;
    float slow = 0.0f;
    for (size_t i = 0; i < COUNT(samples); i++) { /* coloured noise that swells */
        slow = 0.9f * slow + next_float(&state);
        samples[i] = slow * (float)i;
    }
    const ek_log_mel_plan *plan = (const ek_log_mel_plan *)memory;
    CHECK(ek_log_mel_plan_build(config, memory, sizeof memory) == EK_OK, "plan");
    CHECK(ek_log_mel_scratch_bytes(plan, isa) <= sizeof scratch, "scratch");
    const size_t values = ek_log_mel_frames(plan, COUNT(samples)) * ek_log_mel_columns(plan);
    CHECK(values != 0 && values <= COUNT(out), "%zu", values);
    CHECK(ek_log_mel(plan, isa, samples, EK_FLOAT32, COUNT(samples), out, scratch) == EK_OK, "run");
    return digest(UINT64_C(14695981039346656037), out, values);
}

/* Every mode into every type, once each way around. */
static uint64_t of_image(int32_t width, int32_t height, int mode, int type, int isa)
{
    static uint8_t pixels[90][160][3];
    static float out[3 * 256 * 256];
    static char scratch[1 << 16] __attribute__((aligned(64)));
    const ek_tensor_config config = {.width = width, .height = height, .source = {0, 1, 2},
                                     .scale = {1.0f / 58.395f, 1.0f / 57.12f, 1.0f / 57.375f},
                                     .offset = {-2.117904f, -2.035714f, -1.804444f},
                                     .mode = mode, .type = type, .quantum = 0.02f,
                                     .zero_point = 5, .layout = type % 2};
    const ek_image image = {.data = &pixels[0][0][0], .row_stride = sizeof pixels[0],
                            .column_stride = 3, .channel_stride = 1, .width = 160, .height = 90};
    uint64_t state = 5;
    for (size_t i = 0; i < sizeof pixels; i++)
        (&pixels[0][0][0])[i] = (uint8_t)(next_random(&state) >> 24);
    const size_t scratch_bytes = ek_image_scratch_bytes(&config, &image);
    CHECK(scratch_bytes && scratch_bytes <= sizeof scratch, "%zu", scratch_bytes);
    memset(out, 0, sizeof out);
    CHECK(ek_image_tensor(&config, isa, &image, out, scratch) == EK_OK, "run");
    return digest(UINT64_C(14695981039346656037), out, 3 * (size_t)width * (size_t)height);
}

/* From the place on where every window is full: what a NaN looks like is the processor's choice. */
static uint64_t of_rolling(int32_t window, int type, int isa)
{
    static char memory[1 << 14] __attribute__((aligned(64)));
    static char state[1 << 18] __attribute__((aligned(64))), scratch[1 << 19] __attribute__((aligned(64)));
    static double wide[1500], out[ROWS * COUNT(wide)];
    static float narrow[COUNT(wide)];
    uint64_t random = 17, hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < COUNT(wide); i++) {
        narrow[i] = next_float(&random) * (float)(i % 97);
        wide[i] = (double)narrow[i] / 3.0;
    }
    ek_rolling_config config = everything();
    config.window = config.min_samples = window;
    CHECK(ek_rolling_plan_build(&config, memory, sizeof memory) == EK_OK, "plan");
    const ek_rolling_plan *plan = (const ek_rolling_plan *)memory;
    CHECK(ek_rolling_state_bytes(plan) <= sizeof state, "state");
    CHECK(ek_rolling_scratch_bytes(plan) <= sizeof scratch, "scratch");
    const size_t size = value_bytes(type), first = (size_t)window - 1, count = COUNT(wide) - first;
    const ek_series series = {type == EK_FLOAT64 ? (const void *)wide : narrow, (ptrdiff_t)size, 0,
                              COUNT(wide), 1, type};
    CHECK(ek_rolling(plan, isa, state, 0, &series, out, scratch) == EK_OK, "run");
    for (size_t row = 0; row < ROWS; row++)
        hash = digest(hash, (const char *)out + (row * COUNT(wide) + first) * size, count * size / 4);
    return hash;
}

static const struct {
    int32_t window, type;
    uint64_t digest;
} rollings[] = {{3, EK_FLOAT32, UINT64_C(0x3f1fd24501b31685)},
              {60, EK_FLOAT64, UINT64_C(0xf1bd2df299958008)},
              {500, EK_FLOAT64, UINT64_C(0xd4810c7920fc5600)}};

static const uint64_t log_mels[] = {UINT64_C(0x44d1029102c80102), UINT64_C(0xcab3f8bd2c810773),
                                    UINT64_C(0x6a59ebf2308ddb7e), UINT64_C(0x467ccd971554b7a5),
                                    UINT64_C(0x17c294de657d4ac4), UINT64_C(0x5ee519549af85a40)};
static const struct {
    int32_t width, height, mode, type;
    uint64_t digest;
} images[] = {
    {224, 224, EK_BILINEAR, EK_FLOAT32, UINT64_C(0x6d8eaed02bf79254)},
    {64, 48, EK_BILINEAR, EK_FLOAT32, UINT64_C(0xf2f2d4610acc2f63)},
    {1, 1, EK_BILINEAR, EK_FLOAT32, UINT64_C(0x9ee52d05addfee59)},
    {64, 48, EK_BILINEAR, EK_INT8, UINT64_C(0x0cabad797906ba16)},
    {60, 40, EK_NEAREST, EK_UINT8, UINT64_C(0xab9c0064aeb3775d)},
    {48, 31, EK_ANTIALIAS, EK_FLOAT32, UINT64_C(0x1efd6bed613dc189)},
    {200, 101, EK_ANTIALIAS, EK_FLOAT16, UINT64_C(0xdeed292b75833bb3)},
    {33, 17, EK_AREA, EK_FLOAT32, UINT64_C(0xda073d5bfb4fadb0)},
};

static int differs(const char *what, size_t i, int isa, uint64_t found, uint64_t expected)
{
    if (found == expected)
        return 0;
    fprintf(stderr, "%s %zu with %s: UINT64_C(0x%016llx)\n", what, i, ek_isa_name(isa),
            (unsigned long long)found);
    return 1;
}

int main(void)
{
    int failures = 0;
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
        for (size_t i = 0; i < COUNT(presets); i++)
            failures += differs("log-mel", i, isa, of_log_mel(presets[i], isa), log_mels[i]);
        for (size_t i = 0; i < COUNT(images); i++)
            failures += differs("image", i, isa,
                                of_image(images[i].width, images[i].height, images[i].mode,
                                         images[i].type, isa),
                                images[i].digest);
        for (size_t i = 0; i < COUNT(rollings); i++)
            failures += differs("rolling", i, isa, of_rolling(rollings[i].window, rollings[i].type, isa),
                                rollings[i].digest);
    }
    return failures != 0;
}
