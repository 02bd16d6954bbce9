/* Golden cases of the fixed-point front end. */
#include "check.h"
#include "golden.h"
#include "micro_presets.h"

enum { SAMPLES = 9000 };

/* Noise that swells and breaks off, with full scale in it. */
static const int16_t *recording(void)
{
    static int16_t samples[SAMPLES];
    uint64_t state = 31;
    for (int32_t i = 0; i < SAMPLES; i++) {
        const int32_t loud = i % 3000, noise = (int32_t)(next_random(&state) >> 16) - 32768;
        samples[i] = (int16_t)(loud < 2500 ? noise * loud / 2500 : i % 2 ? 32767 : -32768);
    }
    return samples;
}

static void streamed(golden_lines *to, int isa, const char *name, const ek_micro_config *config,
                     size_t chunk)
{
    const size_t bytes = ek_micro_plan_bytes(config), columns = (size_t)config->channels;
    const size_t frame = (size_t)config->window_samples, hop = (size_t)config->hop_samples;
    const size_t rows = 1 + (SAMPLES - frame) / hop;
    ek_micro_plan *plan = aligned_new(bytes);
    CHECK(ek_micro_plan_build(config, plan, bytes) == EK_OK, "%s", name);
    const size_t state = ek_micro_stream_bytes(plan);
    ek_micro_stream *stream = aligned_new(state);
    float *out = aligned_new(rows * columns * sizeof(float));
    CHECK(ek_micro_stream_start(plan, isa, stream, state) == EK_OK, "%s", name);
    size_t row = 0;
    for (size_t at = 0; at < SAMPLES; at += chunk) {
        const size_t count = SAMPLES - at < chunk ? SAMPLES - at : chunk;
        const int64_t more = ek_micro_stream_push(plan, stream, recording() + at, count, rows - row,
                                                  out + row * columns);
        CHECK(more >= 0, "%s at %zu", name, at);
        row += (size_t)more;
    }
    CHECK(row == rows, "%s: %zu rows", name, row);
    golden_add(to, EK_FLOAT32, out, rows * columns, "micro %s in chunks of %zu", name, chunk);
    free(plan);
    free(stream);
    free(out);
}

/* What the usual configuration gives with another number. */
#define WITH(field, value)                                                                         \
    do {                                                                                           \
        ek_micro_config config = micro_40;                                                      \
        config.field = value;                                                                      \
        streamed(to, isa, "micro_40 with " #field "=" #value, &config, 160);                    \
    } while (0)

void golden_micro(golden_lines *to, int isa)
{
    static const size_t chunks[] = {1, 160, 1601, SAMPLES};
    for (size_t i = 0; i < COUNT(chunks); i++)
        streamed(to, isa, "micro_40", &micro_40, chunks[i]);
    streamed(to, isa, "micro_20", &micro_20, SAMPLES);
    streamed(to, isa, "micro_256", &micro_256, SAMPLES);
    streamed(to, isa, "micro_64", &micro_64, SAMPLES);
    WITH(pcan, 0);
    WITH(log, 0);
    WITH(channels, 23);
    WITH(smoothing_bits, 12);
    WITH(gain_bits, 24);
    WITH(log_shift, 3);
    WITH(even_smoothing, 0.5f);
    WITH(min_signal_remaining, 0.5f);
    WITH(pcan_strength, 0.5f);
    WITH(pcan_offset, 1.0f);
    WITH(output_scale, 1.0f);
}
