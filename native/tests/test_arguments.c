/* What is refused: each argument that a caller can get wrong has an answer, and nothing is written. */
#include <math.h>

#include "check.h"
#include "micro_presets.h"
#include "presets.h"
#include "rolling.h"

static void log_mel_configurations_are_refused(void)
{
    CHECK(ek_log_mel_plan_bytes(NULL) == 0, "NULL");
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        ek_log_mel_config config = kaldi_80;                                                       \
        config.field = value;                                                                      \
        CHECK(ek_log_mel_plan_bytes(&config) == 0, "accepted");                                    \
    } while (0)
    REFUSED(fft_samples, 511);
    REFUSED(fft_samples, 14 * 64); /* a factor 7 */
    REFUSED(fft_samples, 1 << 17);
    REFUSED(fft_samples, -512);
    REFUSED(frame_samples, 513);
    REFUSED(frame_samples, 1);
    REFUSED(hop_samples, 0);
    REFUSED(mel_bins, 0);
    REFUSED(mel_bins, 257);
    REFUSED(low_hz, -1.0);
    REFUSED(low_hz, 8000.0);
    REFUSED(low_hz, NAN);
    REFUSED(high_hz, 8001.0);
    REFUSED(high_hz, INFINITY);
    REFUSED(floor, 0.0f);
    REFUSED(floor, 1e-40f);
    REFUSED(floor, NAN);
    REFUSED(preemphasis, NAN);
    REFUSED(input_scale, 0.0f);
    REFUSED(input_scale, INFINITY);
    REFUSED(window, 9);
    REFUSED(mel_scale, -1);
    REFUSED(framing, 4);
    REFUSED(padding, 4);
    REFUSED(logarithm, 4);
    REFUSED(mel_area, 2);
    REFUSED(magnitude, -1);
    REFUSED(energy, 2);
    REFUSED(remove_dc, 2);
    REFUSED(window_samples, 401);
    REFUSED(cepstra, 81);
    REFUSED(lifter, 0.5f);
    REFUSED(lifter, NAN);
    REFUSED(lifter_from, 2);
    REFUSED(dither, -1.0f);
    REFUSED(dither, NAN);
}

static void log_mel_calls_are_refused(void)
{
    static char memory[1 << 16] __attribute__((aligned(64)));
    static float scratch[1 << 14] __attribute__((aligned(64))), samples[400], out[80];
    const size_t bytes = ek_log_mel_plan_bytes(&kaldi_80);
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory, bytes - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_log_mel_plan_build(&kaldi_80, NULL, bytes) == EK_BAD_ARGUMENT, "no memory");
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory + 8, bytes) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory, bytes) == EK_OK, "plan");
    const ek_log_mel_plan *plan = (const ek_log_mel_plan *)memory;
    CHECK(ek_log_mel(NULL, 0, samples, 0, 400, out, scratch) == EK_BAD_ARGUMENT, "no plan");
    CHECK(ek_log_mel(plan, 0, NULL, 0, 400, out, scratch) == EK_BAD_ARGUMENT, "no samples");
    CHECK(ek_log_mel(plan, 0, samples, 0, 400, NULL, scratch) == EK_BAD_ARGUMENT, "no output");
    CHECK(ek_log_mel(plan, 0, samples, 0, 400, out, NULL) == EK_BAD_ARGUMENT, "no scratch");
    CHECK(ek_log_mel(plan, 0, samples, 2, 400, out, scratch) == EK_BAD_ARGUMENT, "type");
    CHECK(ek_log_mel(plan, 0, samples, 0, 400, out, scratch + 1) == EK_BAD_ALIGNMENT, "scratch");
    CHECK(ek_log_mel(plan, -1, samples, 0, 400, out, scratch) == EK_BAD_ISA, "isa");
    CHECK(ek_log_mel(plan, EK_ISA_COUNT, samples, 0, 400, out, scratch) == EK_BAD_ISA, "isa");
    CHECK(ek_log_mel_scratch_bytes(plan, EK_ISA_COUNT) == 0, "isa");
    CHECK(ek_log_mel(plan, 0, NULL, 0, 399, NULL, NULL) == EK_OK, "no frame, nothing to do");
    CHECK(ek_log_mel(plan, 0, samples, 0, 400, out, scratch) == EK_OK, "one frame");
}

static void image_plans_are_refused(void)
{
    static const uint8_t pixels[12];
    static float out[12];
    static char memory[4096] __attribute__((aligned(64))), scratch[1024] __attribute__((aligned(64)));
    const ek_tensor_config good = {.width = 2, .height = 2, .source = {0, 1, 2}, .scale = {1, 1, 1}};
    const ek_image image = {.data = pixels, .row_stride = 6, .column_stride = 3,
                            .channel_stride = 1, .width = 2, .height = 2};
    const size_t bytes = ek_image_plan_bytes(&good, &image);
    CHECK(bytes != 0 && bytes <= sizeof memory, "%zu", bytes);
    CHECK(ek_image_plan_bytes(NULL, &image) == 0, "no config");
    CHECK(ek_image_plan_bytes(&good, NULL) == 0, "no image");
    CHECK(ek_image_plan_build(NULL, &image, memory, bytes) == EK_BAD_ARGUMENT, "no config");
    CHECK(ek_image_plan_build(&good, &image, memory, bytes - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_image_plan_build(&good, &image, NULL, bytes) == EK_BAD_ARGUMENT, "no memory");
    CHECK(ek_image_plan_build(&good, &image, memory + 8, bytes) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_image_plan_build(&good, &image, memory, bytes) == EK_OK, "plan");
    const ek_image_plan *plan = (const ek_image_plan *)(const void *)memory;
    CHECK(ek_image_plan_scratch_bytes(NULL) == 0, "no plan");
    CHECK(ek_image_plan_scratch_bytes(plan) <= sizeof scratch, "scratch");
    CHECK(ek_image_run(NULL, 0, pixels, NULL, NULL, out, scratch) == EK_BAD_ARGUMENT, "no plan");
    CHECK(ek_image_run(plan, 0, NULL, NULL, NULL, out, scratch) == EK_BAD_ARGUMENT, "no pixels");
    CHECK(ek_image_run(plan, 0, pixels, NULL, NULL, NULL, scratch) == EK_BAD_ARGUMENT, "no output");
    CHECK(ek_image_run(plan, 0, pixels, NULL, NULL, out, NULL) == EK_BAD_ARGUMENT, "no scratch");
    CHECK(ek_image_run(plan, 0, pixels, pixels, pixels, out, scratch) == EK_BAD_ARGUMENT, "no camera");
    CHECK(ek_image_run(plan, 0, pixels, NULL, NULL, out, scratch + 4) == EK_BAD_ALIGNMENT, "scratch");
    CHECK(ek_image_run(plan, -1, pixels, NULL, NULL, out, scratch) == EK_BAD_ISA, "isa");
    CHECK(ek_image_run(plan, 0, pixels, NULL, NULL, out, scratch) == EK_OK, "a tensor");
}

static void log_mel_streams_are_refused(void)
{
    static char memory[1 << 17] __attribute__((aligned(64)));
    static char state[1 << 18] __attribute__((aligned(64)));
    static float samples[800], out[160];
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory, sizeof memory) == EK_OK, "plan");
    const ek_log_mel_plan *plan = (const ek_log_mel_plan *)memory;
    ek_log_mel_stream *stream = (ek_log_mel_stream *)state;
    const size_t bytes = ek_log_mel_stream_bytes(plan, 0);
    CHECK(bytes != 0 && bytes <= sizeof state, "%zu", bytes);
    CHECK(ek_log_mel_stream_bytes(NULL, 0) == 0, "no plan");
    CHECK(ek_log_mel_stream_bytes(plan, EK_ISA_COUNT) == 0, "isa");
    CHECK(ek_log_mel_stream_start(plan, 0, state, bytes - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_log_mel_stream_start(plan, 0, NULL, bytes) == EK_BAD_ARGUMENT, "no memory");
    CHECK(ek_log_mel_stream_start(plan, 0, state + 4, bytes) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_log_mel_stream_start(plan, EK_ISA_COUNT, state, bytes) == EK_BAD_ISA, "isa");
    CHECK(ek_log_mel_stream_start(plan, 0, state, bytes) == EK_OK, "start");
#define PUSH(samples, type, count, frames, out)                                                    \
    ek_log_mel_stream_push(plan, stream, samples, type, count, 0, frames, out)
    CHECK(PUSH(samples, 0, 560, 1, out) == EK_BAD_ARGUMENT, "room");
    CHECK(PUSH(samples, 2, 400, 1, out) == EK_BAD_ARGUMENT, "type");
    CHECK(PUSH(NULL, 0, 400, 1, out) == EK_BAD_ARGUMENT, "no samples");
    CHECK(PUSH(samples, 0, 400, 1, NULL) == EK_BAD_ARGUMENT, "no output");
    CHECK(PUSH(NULL, 0, 0, 0, NULL) == 0, "nothing");
    CHECK(PUSH(samples, 0, 400, 2, out) == 1, "one frame");
}

static void micro_calls_are_refused(void)
{
    static char memory[1 << 15] __attribute__((aligned(64))), state[1 << 15] __attribute__((aligned(64)));
    static int16_t samples[640];
    static float out[80];
    ek_micro_plan *plan = (ek_micro_plan *)memory;
    ek_micro_stream *stream = (ek_micro_stream *)state;
#define NO_FRONT_END(field, value)                                                                      \
    do {                                                                                           \
        ek_micro_config config = micro_40;                                                            \
        config.field = value;                                                                      \
        CHECK(ek_micro_plan_bytes(&config) == 0, "accepted");                                      \
    } while (0)
    NO_FRONT_END(window_samples, 128);
    NO_FRONT_END(window_samples, 4097);
    NO_FRONT_END(hop_samples, 481);
    NO_FRONT_END(channels, 257);
    NO_FRONT_END(low_hz, 7500.0f);
    NO_FRONT_END(high_hz, 8000.0f);
    NO_FRONT_END(gain_bits, 25);
    NO_FRONT_END(gain_bits, 12); /* less than the corrections */
    NO_FRONT_END(smoothing_bits, 17);
    NO_FRONT_END(pcan_offset, 0.0f);
    NO_FRONT_END(even_smoothing, 1.5f);
    NO_FRONT_END(output_scale, 0.0f);
    const size_t bytes = ek_micro_plan_bytes(&micro_40);
    CHECK(ek_micro_plan_bytes(NULL) == 0, "NULL");
    CHECK(ek_micro_plan_build(&micro_40, memory, bytes - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_micro_plan_build(&micro_40, memory + 8, bytes) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_micro_plan_build(&micro_40, memory, bytes) == EK_OK, "plan");
    const size_t need = ek_micro_stream_bytes(plan);
    CHECK(need != 0 && need <= sizeof state, "%zu", need);
    CHECK(ek_micro_stream_start(plan, 0, state, need - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_micro_stream_start(plan, 0, state + 4, need) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_micro_stream_start(plan, EK_ISA_COUNT, state, need) == EK_BAD_ISA, "isa");
    CHECK(ek_micro_stream_start(plan, 0, state, need) == EK_OK, "start");
    CHECK(ek_micro_stream_push(plan, stream, NULL, 1, 1, out) == EK_BAD_ARGUMENT, "no samples");
    CHECK(ek_micro_stream_push(plan, stream, samples, 640, 1, out) == EK_BAD_ARGUMENT, "room");
    CHECK(ek_micro_stream_push(plan, stream, samples, 640, 2, NULL) == EK_BAD_ARGUMENT, "no out");
    CHECK(ek_micro_stream_push(plan, stream, samples, 640, 2, out) == 2, "two rows");
}

static void image_calls_are_refused(void)
{
    static const uint8_t pixels[12];
    static float out[12];
    static char scratch[4096] __attribute__((aligned(64)));
    const ek_tensor_config good = {
        .width = 2, .height = 2, .source = {0, 1, 2}, .scale = {1, 1, 1}, .quantum = 1.0f};
    const ek_image image = {.data = pixels, .row_stride = 6, .column_stride = 3,
                            .channel_stride = 1, .width = 2, .height = 2};
    ek_tensor_config bad = good;
    CHECK(ek_image_tensor(&good, 0, &image, out, scratch) == EK_OK, "good");
    CHECK(ek_image_tensor(NULL, 0, &image, out, scratch) == EK_BAD_ARGUMENT, "config");
    CHECK(ek_image_tensor(&good, 0, NULL, out, scratch) == EK_BAD_ARGUMENT, "image");
    CHECK(ek_image_tensor(&good, 0, &image, NULL, scratch) == EK_BAD_ARGUMENT, "out");
    CHECK(ek_image_tensor(&good, 0, &image, out, scratch + 4) == EK_BAD_ALIGNMENT, "scratch");
    CHECK(ek_image_tensor(&good, EK_ISA_COUNT, &image, out, scratch) == EK_BAD_ISA, "isa");
    bad.source[1] = 3;
    CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "channel 3");
    bad = good;
    bad.width = 0;
    CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "no width");
    bad = good;
    bad.scale[2] = NAN;
    CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "NaN");
#define NO_TENSOR(field, value)                                                                    \
    do {                                                                                           \
        bad = good;                                                                                \
        bad.field = value;                                                                         \
        CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "accepted");                              \
    } while (0)
    NO_TENSOR(planes, 2);
    NO_TENSOR(mode, 4);
    NO_TENSOR(layout, 2);
    NO_TENSOR(type, EK_INT16);
    NO_TENSOR(fill[1], INFINITY);
    NO_TENSOR(left, 1);        /* with the picture as wide as the result */
    NO_TENSOR(inner_width, 3);
    NO_TENSOR(skip_y, 1);
    NO_TENSOR(full_height, 1); /* less than what is shown */
    bad = good;
    bad.type = EK_INT8;
    CHECK(ek_image_scratch_bytes(&bad, &image) != 0, "int8");
    bad.zero_point = 128;
    CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "zero point");
    bad.zero_point = 0;
    bad.quantum = 0.0f;
    CHECK(ek_image_scratch_bytes(&bad, &image) == 0, "quantum");
    ek_image half = image;
    half.u = pixels;
    CHECK(ek_image_scratch_bytes(&good, &half) == 0, "no v");
    ek_image empty = image;
    empty.height = 0;
    CHECK(ek_image_tensor(&good, 0, &empty, out, scratch) == EK_BAD_ARGUMENT, "empty");
}

static void rolling_configurations_are_refused(void)
{
    CHECK(ek_rolling_plan_bytes(NULL) == 0, "NULL");
#define NO_WINDOW(field, value)                                                                    \
    do {                                                                                           \
        ek_rolling_config config = everything();                                                   \
        config.field = value;                                                                      \
        CHECK(ek_rolling_plan_bytes(&config) == 0, "accepted");                                    \
    } while (0)
    NO_WINDOW(window, 1);
    NO_WINDOW(window, EK_ROLLING_MAX_WINDOW + 1);
    NO_WINDOW(min_samples, 0);
    NO_WINDOW(min_samples, 61);
    NO_WINDOW(nan_policy, 3);
    NO_WINDOW(ddof, 2);
    NO_WINDOW(row[2], 1);  /* twice */
    NO_WINDOW(row[2], 40);
    NO_WINDOW(row[2], -1); /* a gap */
    NO_WINDOW(quantile_count, EK_ROLLING_QUANTILES + 1);
    NO_WINDOW(quantile_row[0], -1);
    NO_WINDOW(quantile[1], 1.5);
    NO_WINDOW(quantile[1], NAN);
    NO_WINDOW(bins, 1);
    NO_WINDOW(low, 2.0);
    NO_WINDOW(high, INFINITY);
    NO_WINDOW(ewma_alpha, 0.0);
    NO_WINDOW(ewma_alpha, NAN);
}

static void rolling_calls_are_refused(void)
{
    static char memory[1 << 13] __attribute__((aligned(64)));
    static char state[1 << 15] __attribute__((aligned(64)));
    static char scratch[1 << 18] __attribute__((aligned(64)));
    static float samples[3] = {1.0f, NAN, 2.0f}, out[3 * ROWS];
    ek_rolling_config config = everything();
    config.nan_policy = EK_NAN_ERROR;
    const size_t bytes = ek_rolling_plan_bytes(&config);
    CHECK(bytes && bytes <= sizeof memory, "%zu", bytes);
    CHECK(ek_rolling_plan_build(&config, memory, bytes - 1) == EK_BAD_ARGUMENT, "too small");
    CHECK(ek_rolling_plan_build(&config, memory + 8, bytes) == EK_BAD_ALIGNMENT, "misaligned");
    CHECK(ek_rolling_plan_build(&config, memory, bytes) == EK_OK, "plan");
    const ek_rolling_plan *plan = (const ek_rolling_plan *)memory;
    CHECK(ek_rolling_state_bytes(plan) <= sizeof state, "state");
    CHECK(ek_rolling_scratch_bytes(plan) <= sizeof scratch, "scratch");
    CHECK(ek_rolling_start(plan, state + 8) == EK_BAD_ALIGNMENT, "state");
    CHECK(ek_rolling_start(NULL, state) == EK_BAD_ARGUMENT, "no plan");
    const ek_series good = {samples, 8, 0, 2, 1, EK_FLOAT32}, whole = {samples, 4, 0, 3, 1, EK_FLOAT32};
    ek_series bad = good;
    CHECK(ek_rolling(plan, 0, state, 0, &good, out, scratch) == EK_OK, "good");
    CHECK(ek_rolling(NULL, 0, state, 0, &good, out, scratch) == EK_BAD_ARGUMENT, "no plan");
    CHECK(ek_rolling(plan, 0, state, 0, NULL, out, scratch) == EK_BAD_ARGUMENT, "no series");
    CHECK(ek_rolling(plan, 0, state, 0, &good, NULL, scratch) == EK_BAD_ARGUMENT, "no output");
    CHECK(ek_rolling(plan, 0, state + 8, 0, &good, out, scratch) == EK_BAD_ALIGNMENT, "state");
    CHECK(ek_rolling(plan, 0, state, 8, &good, out, scratch) == EK_BAD_ALIGNMENT, "stride");
    CHECK(ek_rolling(plan, 0, state, 0, &good, out, scratch + 8) == EK_BAD_ALIGNMENT, "scratch");
    CHECK(ek_rolling(plan, EK_ISA_COUNT, state, 0, &good, out, scratch) == EK_BAD_ISA, "isa");
    bad.sample_type = EK_INT16;
    CHECK(ek_rolling(plan, 0, state, 0, &bad, out, scratch) == EK_BAD_ARGUMENT, "type");
    CHECK(ek_rolling(plan, 0, state, 0, &whole, out, scratch) == EK_BAD_SAMPLE, "NaN");
}

static void one_nan_makes_a_clamped_range_nan(void)
{
    float values[] = {1.0f, NAN, -20.0f, INFINITY};
    CHECK(ek_clamp_range(values, 4, 8.0f, 4.0f, 0.25f) == EK_OK, "run");
    for (size_t i = 0; i < COUNT(values); i++)
        CHECK(isnan(values[i]), "%zu", i);
    float plain[] = {1.0f, -3.0f, -20.0f};
    CHECK(ek_clamp_range(plain, 3, 8.0f, 4.0f, 0.25f) == EK_OK, "run");
    CHECK(plain[0] == 1.25f && plain[1] == 0.25f && plain[2] == -0.75f, "clamped");
    for (size_t count = 1; count < 70; count++) { /* every length, a NaN or the largest anywhere */
        float many[70];
        for (size_t at = 0; at < count; at++) {
            for (size_t i = 0; i < count; i++)
                many[i] = -(float)(i + 1);
            many[at] = 4.0f;
            CHECK(ek_clamp_range(many, count, 8.0f, 0.0f, 1.0f) == EK_OK, "run");
            for (size_t i = 0; i < count; i++)
                CHECK(many[i] == (i == at ? 4.0f : fmaxf(-(float)(i + 1), -4.0f)), "%zu", i);
            many[at] = NAN;
            CHECK(ek_clamp_range(many, count, 8.0f, 0.0f, 1.0f) == EK_OK, "run");
            for (size_t i = 0; i < count; i++)
                CHECK(isnan(many[i]), "%zu", i);
        }
    }
    CHECK(ek_clamp_range(NULL, 0, 8.0f, 4.0f, 0.25f) == EK_OK, "nothing to do");
    CHECK(ek_clamp_range(NULL, 1, 8.0f, 4.0f, 0.25f) == EK_BAD_ARGUMENT, "NULL");
}

static void the_best_instruction_set_is_named(void)
{
    CHECK(ek_best_isa() >= EK_PORTABLE && ek_best_isa() < EK_ISA_COUNT, "%d", ek_best_isa());
    CHECK(strcmp(ek_isa_name(EK_PORTABLE), "portable") == 0, "%s", ek_isa_name(EK_PORTABLE));
    CHECK(strcmp(ek_isa_name(ek_best_isa()), "unknown") != 0, "%d", ek_best_isa());
    CHECK(strcmp(ek_isa_name(EK_ISA_COUNT), "unknown") == 0, "beyond");
    printf("best instruction set: %s, features %08x\n", ek_isa_name(ek_best_isa()),
           (unsigned)ek_cpu_features());
}

int main(void)
{
    log_mel_configurations_are_refused();
    log_mel_calls_are_refused();
    image_plans_are_refused();
    log_mel_streams_are_refused();
    micro_calls_are_refused();
    image_calls_are_refused();
    rolling_configurations_are_refused();
    rolling_calls_are_refused();
    one_nan_makes_a_clamped_range_nan();
    the_best_instruction_set_is_named();
    return 0;
}
