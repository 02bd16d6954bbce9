/* Streams: whatever the chunks, the bits of the whole signal; memory that ends at a page's end. */
#include "check.h"
#include "log_mel_plan.h"
#include "presets.h"

enum { MOST_SAMPLES = 20000, MOST_VALUES = MOST_SAMPLES * 2 };

typedef struct {
    const ek_log_mel_plan *plan;
    const char *samples;
    int type;
    size_t count;
} signal;

static size_t bytes_each(int type) { return type == EK_INT16 ? 2 : 4; }

static size_t whole(const signal *s, int isa, float *out)
{
    static char scratch[1 << 18] __attribute__((aligned(64)));
    CHECK(ek_log_mel_scratch_bytes(s->plan, isa) <= sizeof scratch, "scratch");
    CHECK(ek_log_mel(s->plan, isa, s->samples, s->type, s->count, out, scratch) == EK_OK, "whole");
    return ek_log_mel_frames(s->plan, s->count) * ek_log_mel_columns(s->plan);
}

/* Chunks of at most `most` samples, of none now and then; their values in `out`. */
static size_t streamed(const signal *s, ek_log_mel_stream *stream, size_t most, uint64_t *state,
                       float *out)
{
    size_t at = 0, known = 0;
    guarded in = guarded_new(most * bytes_each(s->type));
    for (int last = 0; !last;) {
        const size_t left = s->count - at, drawn = next_random(state) % (most + 1);
        const size_t chunk = most == 1 ? left != 0 : (drawn < left ? drawn : left);
        last = at + chunk == s->count;
        const size_t now = ek_log_mel_stream_frames(s->plan, at + chunk, last);
        void *samples = guarded_end(&in, chunk * bytes_each(s->type));
        memcpy(samples, s->samples + at * bytes_each(s->type), chunk * bytes_each(s->type));
        CHECK(ek_log_mel_stream_push(s->plan, stream, samples, s->type, chunk, last, now - known,
                                     out + known * ek_log_mel_columns(s->plan)) ==
                  (int64_t)(now - known),
              "push %zu of %zu at %zu", chunk, s->count, at);
        at += chunk;
        known = now;
    }
    guarded_free(&in);
    return known * ek_log_mel_columns(s->plan);
}

static void chunks_do_not_matter(const signal *s, int isa, size_t most, uint64_t *state)
{
    static float expected[MOST_VALUES], found[MOST_VALUES];
    const size_t bytes = ek_log_mel_stream_bytes(s->plan, isa);
    guarded memory = guarded_new(bytes);
    ek_log_mel_stream *stream = guarded_end(&memory, bytes);
    CHECK(ek_log_mel_stream_start(s->plan, isa, stream, bytes) == EK_OK, "start");
    const size_t values = whole(s, isa, expected);
    CHECK(values <= MOST_VALUES, "%zu", values);
    CHECK(streamed(s, stream, most, state, found) == values, "%zu samples", s->count);
    CHECK(memcmp(expected, found, values * sizeof(float)) == 0, "%s: chunks of %zu, %zu samples",
          ek_isa_name(isa), most, s->count);
    guarded_free(&memory);
}

static void every_preset(const ek_log_mel_config *config)
{
    static const size_t most[] = {1, 7, 160, 1601, MOST_SAMPLES};
    static char plan[1 << 17] __attribute__((aligned(64)));
    static float floats[MOST_SAMPLES];
    static int16_t shorts[MOST_SAMPLES];
    uint64_t state = 3;
    CHECK(ek_log_mel_plan_build(config, plan, sizeof plan) == EK_OK, "plan");
    for (size_t i = 0; i < MOST_SAMPLES; i++) {
        shorts[i] = (int16_t)(next_random(&state) >> 16);
        floats[i] = next_float(&state) * 30000.0f;
    }
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        for (size_t i = 0; i < COUNT(most); i++)
            for (size_t count = 1; count < (most[i] < 100 ? 1500 : 12000); count += 1 + count / 2) {
                const int type = (int)(count % 2);
                const void *samples = type == EK_INT16 ? (void *)shorts : (void *)floats;
                const signal s = {(const ek_log_mel_plan *)plan, samples, type, count};
                chunks_do_not_matter(&s, isa, most[i], &state);
            }
}

static void wrong_calls_are_refused(void)
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

static void a_port_moves_on_by_the_rows_it_gives(void)
{
    enum { SAMPLES = 4000, ROWS = 23, COLUMNS = 80 };
    static char memory[1 << 17] __attribute__((aligned(64)));
    static char state[1 << 18] __attribute__((aligned(64)));
    static float samples[SAMPLES], expected[ROWS * COLUMNS], found[ROWS * COLUMNS];
    static int16_t shorts[SAMPLES];
    uint64_t seed = 9;
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory, sizeof memory) == EK_OK, "plan");
    const ek_log_mel_plan *plan = (const ek_log_mel_plan *)memory;
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = shorts[i] = (int16_t)(next_random(&seed) >> 16);
    const signal s = {plan, (const char *)samples, EK_FLOAT32, SAMPLES};
    CHECK(whole(&s, 0, expected) == ROWS * COLUMNS, "whole");
    CHECK(ek_log_mel_stream_start(plan, 0, state, sizeof state) == EK_OK, "start");
    ek_port port = {plan, state, found, 5};
    CHECK(ek_log_mel_port_float32(&port, samples, 1000) == 4, "four rows");
    CHECK(port.room == 1 && port.out == found + 4 * COLUMNS, "moved");
    CHECK(ek_log_mel_port_int16(&port, shorts + 1000, 3000) == EK_BAD_ARGUMENT, "no room");
    CHECK(port.room == 1 && port.out == found + 4 * COLUMNS, "not moved");
    port.room = ROWS - 4;
    CHECK(ek_log_mel_port_int16(&port, shorts + 1000, 3000) == ROWS - 4, "the others");
    CHECK(port.room == 0 && memcmp(expected, found, sizeof found) == 0, "bits");
    CHECK(ek_log_mel_port_float32(NULL, samples, 1) == EK_BAD_ARGUMENT, "no port");
    CHECK(ek_log_mel_port_int16(NULL, shorts, 1) == EK_BAD_ARGUMENT, "no port");
}

int main(void)
{
    for (size_t i = 0; i < COUNT(presets); i++)
        every_preset(presets[i]);
    wrong_calls_are_refused();
    a_port_moves_on_by_the_rows_it_gives();
    return 0;
}
