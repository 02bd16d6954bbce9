/* The fixed-point front end: every instruction set against portable C, any chunks, at guard pages. */
#include "check.h"
#include "micro_presets.h"

enum { MOST_SAMPLES = 9000, MOST_VALUES = 40000 };


/* Values of a stream that is given chunks of at most `most` samples. */
static size_t streamed(const ek_micro_plan *plan, int isa, const int16_t *samples, size_t count,
                       size_t most, float *out)
{
    const size_t bytes = ek_micro_stream_bytes(plan);
    guarded memory = guarded_new(bytes);
    ek_micro_stream *stream = guarded_end(&memory, bytes / 64 * 64);
    uint64_t state = most;
    size_t rows = 0;
    const size_t channels = (size_t)((const ek_micro_config *)plan)->channels;
    CHECK(bytes % 64 == 0, "%zu", bytes);
    CHECK(ek_micro_stream_start(plan, isa, stream, bytes) == EK_OK, "start");
    guarded in = guarded_new(most * 2);
    for (size_t at = 0; at < count;) {
        const size_t drawn = most == 1 ? 1 : next_random(&state) % (most + 1);
        const size_t chunk = drawn < count - at ? drawn : count - at;
        int16_t *given = guarded_end(&in, chunk * 2);
        memcpy(given, samples + at, chunk * 2);
        const int64_t now = ek_micro_stream_push(plan, stream, given, chunk,
                                                 MOST_VALUES / channels - rows, out + rows * channels);
        CHECK(now >= 0, "push");
        rows += (size_t)now;
        at += chunk;
    }
    guarded_free(&in);
    guarded_free(&memory);
    return rows * channels;
}

static void fill(int16_t *samples, int kind, size_t count)
{
    static const int16_t edges[] = {0, 1, -1, 32767, -32768, 16384};
    uint64_t state = (uint64_t)kind + 1;
    for (size_t i = 0; i < count; i++) {
        const uint32_t drawn = next_random(&state);
        if (kind < (int)COUNT(edges))
            samples[i] = drawn % 7 == 0 ? edges[drawn / 7 % COUNT(edges)] : edges[kind];
        else
            samples[i] = (int16_t)(drawn >> 16);
    }
}

static void versions_agree(const ek_micro_config *config, const int16_t *samples, size_t count)
{
    static float expected[MOST_VALUES], found[MOST_VALUES];
    const size_t bytes = ek_micro_plan_bytes(config);
    CHECK(bytes != 0 && bytes % EK_ALIGNMENT == 0, "%zu bytes", bytes);
    guarded memory = guarded_new(bytes);
    ek_micro_plan *plan = guarded_end(&memory, bytes);
    CHECK(ek_micro_plan_build(config, plan, bytes) == EK_OK, "plan");
    CHECK(mprotect(guarded_start(&memory), memory.usable, PROT_READ) == 0, "read-only");
    const size_t values = streamed(plan, EK_PORTABLE, samples, count, count, expected);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        for (size_t most = 1; most < 5000; most = most * 16 + 1) {
            CHECK(streamed(plan, isa, samples, count, most, found) == values, "rows");
            CHECK(memcmp(expected, found, values * sizeof(float)) == 0, "%s: chunks of %zu",
                  ek_isa_name(isa), most);
        }
    guarded_free(&memory);
}

static void wrong_calls_are_refused(void)
{
    static char memory[1 << 15] __attribute__((aligned(64))), state[1 << 15] __attribute__((aligned(64)));
    static int16_t samples[640];
    static float out[80];
    ek_micro_plan *plan = (ek_micro_plan *)memory;
    ek_micro_stream *stream = (ek_micro_stream *)state;
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        ek_micro_config config = micro_40;                                                            \
        config.field = value;                                                                      \
        CHECK(ek_micro_plan_bytes(&config) == 0, "accepted");                                      \
    } while (0)
    REFUSED(window_samples, 128);
    REFUSED(window_samples, 4097);
    REFUSED(hop_samples, 481);
    REFUSED(channels, 257);
    REFUSED(low_hz, 7500.0f);
    REFUSED(high_hz, 8000.0f);
    REFUSED(gain_bits, 25);
    REFUSED(gain_bits, 12); /* less than the corrections */
    REFUSED(smoothing_bits, 17);
    REFUSED(pcan_offset, 0.0f);
    REFUSED(even_smoothing, 1.5f);
    REFUSED(output_scale, 0.0f);
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

static void a_port_moves_on_by_the_rows_it_gives(void)
{
    static char memory[1 << 16] __attribute__((aligned(64)));
    static char state[1 << 16] __attribute__((aligned(64)));
    static int16_t samples[1600];
    static float expected[8 * 40], found[8 * 40];
    ek_micro_plan *plan = (ek_micro_plan *)memory;
    const size_t bytes = sizeof state;
    fill(samples, 7, COUNT(samples));
    CHECK(ek_micro_plan_build(&micro_40, memory, sizeof memory) == EK_OK, "plan");
    CHECK(ek_micro_stream_start(plan, 0, state, bytes) == EK_OK, "start");
    CHECK(ek_micro_stream_push(plan, (ek_micro_stream *)state, samples, 1600, 8, expected) == 8,
          "rows");
    CHECK(ek_micro_stream_start(plan, 0, state, bytes) == EK_OK, "again");
    ek_port port = {plan, state, found, 4};
    CHECK(ek_micro_port_int16(&port, samples, 800) == 3, "three rows");
    CHECK(ek_micro_port_int16(&port, samples + 800, 800) == EK_BAD_ARGUMENT, "no room");
    CHECK(port.room == 1 && port.out == found + 3 * 40, "moved");
    port.room = 5;
    CHECK(ek_micro_port_int16(&port, samples + 800, 800) == 5, "the others");
    CHECK(port.room == 0 && memcmp(expected, found, sizeof found) == 0, "bits");
    CHECK(ek_micro_port_int16(NULL, samples, 1) == EK_BAD_ARGUMENT, "no port");
}

int main(void)
{
    static int16_t samples[MOST_SAMPLES];
    for (size_t i = 0; i < COUNT(micro_presets); i++)
        for (int kind = 0; kind < 8; kind++) {
            const size_t count = micro_presets[i] == &micro_20 ? 700 : MOST_SAMPLES - 311 * (size_t)kind;
            fill(samples, kind, count);
            versions_agree(micro_presets[i], samples, count);
        }
    wrong_calls_are_refused();
    a_port_moves_on_by_the_rows_it_gives();
    return 0;
}
