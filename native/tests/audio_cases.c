/* Cases of the audio operations. */
#include <math.h>

#include "operation.h"
#include "micro_presets.h"
#include "presets.h"

enum { MOST_SAMPLES = 40000, MOST_VALUES = 1 << 17 };

static struct {
    ek_log_mel_config config;
    ek_micro_config micro;
    size_t samples, rows, chunk;
    int32_t type, isa, uneven;
    float range, offset, scale;
} now;

static float bits_as_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A field as it comes, now and then: the configuration is refused or must work. */
static void vary(source *from, int32_t *field)
{
    if (draw_wild(from))
        *field = draw(from) % 2 ? (int32_t)draw(from) : draw_below(from, 600);
}

static void vary_float(source *from, float *field)
{
    if (draw_wild(from))
        *field = draw(from) % 2 ? bits_as_float(draw(from)) : (float)draw_below(from, 1000) / 100.0f;
}

static void vary_config(source *from, ek_log_mel_config *c)
{
    int32_t *whole[] = {&c->sample_rate_hz, &c->frame_samples, &c->window_samples, &c->hop_samples,
                        &c->fft_samples, &c->mel_bins, &c->window, &c->mel_scale, &c->mel_area,
                        &c->framing, &c->padding, &c->magnitude, &c->logarithm, &c->remove_dc,
                        &c->energy, &c->cepstra, &c->lifter_from};
    float *real[] = {&c->lifter, &c->preemphasis, &c->input_scale, &c->dither, &c->floor};
    for (size_t i = 0; i < COUNT(whole); i++)
        vary(from, whole[i]);
    for (size_t i = 0; i < COUNT(real); i++)
        vary_float(from, real[i]);
    if (draw_wild(from))
        c->high_hz = draw_below(from, 30000);
}

static void draw_chunks(source *from)
{
    now.chunk = 1 + draw(from) % (draw(from) % 2 ? 40 : 3000);
    now.uneven = draw_below(from, 2);
}

/* The next one's samples, of `left`; uneven ones have any number of them up to now.chunk, also 0. */
static size_t next_chunk(uint64_t *state, size_t left)
{
    const size_t most = now.uneven ? next_random(state) % (now.chunk + 1) : now.chunk;
    return left < most ? left : most;
}

static size_t draw_log_mel(source *from)
{
    now.config = *presets[draw(from) % COUNT(presets)];
    vary_config(from, &now.config);
    now.type = draw_below(from, 2);
    const uint32_t most = draw(from) % 4 == 0 ? 9000 : 1200;
    now.samples = draw(from) % most;
    draw_chunks(from);
    const size_t bytes = ek_log_mel_plan_bytes(&now.config);
    return bytes < 1 << 22 ? bytes : 0;
}

static void usual_log_mel(void)
{
    now.config = kaldi_80;
    now.type = EK_FLOAT32;
    now.samples = 16000;
    now.chunk = 160;
    now.uneven = 0;
}

static int build_log_mel(void *plan, size_t bytes)
{
    return ek_log_mel_plan_build(&now.config, plan, bytes);
}

static int measure_log_mel(const void *plan, int isa, sizes *found)
{
    const size_t frames = ek_log_mel_frames(plan, now.samples);
    const size_t values = frames * ek_log_mel_columns(plan);
    *found = (sizes){now.samples * (now.type == EK_INT16 ? 2 : 4), values * sizeof(float),
                     ek_log_mel_scratch_bytes(plan, isa), frames};
    return values <= MOST_VALUES && frames <= 4000;
}

static void fill_samples(source *from, void *input, size_t bytes)
{
    if (now.type == EK_INT16)
        fill_shorts(from, input, bytes);
    else
        fill_floats(from, input, bytes);
}

static int64_t run_log_mel(const void *plan, int isa, const void *input, void *out, void *work)
{
    return ek_log_mel(plan, isa, input, now.type, now.samples, out, work);
}

const operation log_mel_operation = {
    "log_mel", "frame", 4, draw_log_mel, usual_log_mel, build_log_mel, measure_log_mel,
    fill_samples, run_log_mel, NULL};

static int measure_stream(const void *plan, int isa, sizes *found)
{
    const int fits = measure_log_mel(plan, isa, found);
    found->work_bytes = ek_log_mel_stream_bytes(plan, isa);
    now.isa = isa;
    return fits && found->work_bytes != 0 && found->work_bytes < 1 << 24;
}

/* Chunks have no say: the rows are those of the whole. */
static void check_stream(const void *plan, const void *input, const void *out)
{
    const size_t bytes = ek_log_mel_frames(plan, now.samples) * ek_log_mel_columns(plan) * 4;
    void *whole = aligned_new(bytes);
    void *scratch = aligned_new(ek_log_mel_scratch_bytes(plan, EK_PORTABLE));
    CHECK(run_log_mel(plan, EK_PORTABLE, input, whole, scratch) == EK_OK, "whole");
    CHECK(same_bits(4, whole, out, bytes), "stream: chunks of %zu differ from the whole", now.chunk);
    free(whole);
    free(scratch);
}

static int64_t run_stream(const void *plan, int isa, const void *input, void *out, void *work)
{
    const size_t each = now.type == EK_INT16 ? 2 : 4;
    int64_t rows = ek_log_mel_stream_start(plan, isa, work, ek_log_mel_stream_bytes(plan, isa));
    uint64_t state = 1;
    for (size_t at = 0, last = 0; !last && rows >= 0;) {
        const size_t chunk = next_chunk(&state, now.samples - at);
        last = at + chunk == now.samples;
        const size_t room = ek_log_mel_frames(plan, now.samples) - (size_t)rows;
        const int64_t more = ek_log_mel_stream_push(
            plan, work, (const char *)input + at * each, now.type, chunk, (int)last, room,
            (float *)out + (size_t)rows * ek_log_mel_columns(plan));
        rows = more < 0 ? more : rows + more;
        at += chunk;
    }
    return rows;
}

const operation stream_operation = {
    "stream", "frame of 10 ms chunks", 4, draw_log_mel, usual_log_mel, build_log_mel,
    measure_stream, fill_samples, run_stream, check_stream};

static size_t draw_cepstra(source *from)
{
    now.config = cepstra_13;
    vary_config(from, &now.config);
    now.rows = draw(from) % 70;
    const size_t bytes = ek_log_mel_plan_bytes(&now.config);
    return now.config.cepstra > 0 && bytes < 1 << 22 ? bytes : 0;
}

static void usual_cepstra(void)
{
    now.config = cepstra_13;
    now.rows = 100;
}

static int measure_cepstra(const void *plan, int isa, sizes *found)
{
    (void)plan, (void)isa;
    *found = (sizes){now.rows * (size_t)now.config.mel_bins * 4,
                     now.rows * (size_t)now.config.cepstra * 4, 0, now.rows};
    return 1;
}

static int64_t run_cepstra(const void *plan, int isa, const void *input, void *out, void *work)
{
    (void)work;
    return ek_log_mel_cepstra(plan, isa, input, now.rows, out);
}

const operation cepstra_operation = {
    "cepstra", "row", 4, draw_cepstra, usual_cepstra, build_log_mel, measure_cepstra,
    fill_floats, run_cepstra, NULL};

static void usual_micro(void)
{
    now.micro = micro_40;
    now.samples = 16000;
    now.chunk = 160;
    now.uneven = 0;
}

static size_t draw_micro(source *from)
{
    ek_micro_config *c = &now.micro;
    *c = *micro_presets[draw(from) % COUNT(micro_presets)];
    int32_t *whole[] = {&c->sample_rate_hz, &c->window_samples, &c->hop_samples, &c->channels,
                        &c->smoothing_bits, &c->pcan, &c->gain_bits, &c->log, &c->log_shift};
    float *real[] = {&c->low_hz, &c->high_hz, &c->even_smoothing, &c->odd_smoothing,
                     &c->min_signal_remaining, &c->pcan_strength, &c->pcan_offset, &c->output_scale};
    for (size_t i = 0; i < COUNT(whole); i++)
        vary(from, whole[i]);
    for (size_t i = 0; i < COUNT(real); i++)
        vary_float(from, real[i]);
    now.samples = draw(from) % 5000;
    draw_chunks(from);
    return ek_micro_plan_bytes(c);
}

static int build_micro(void *plan, size_t bytes)
{
    return ek_micro_plan_build(&now.micro, plan, bytes);
}

static int measure_micro(const void *plan, int isa, sizes *found)
{
    const size_t frame = (size_t)now.micro.window_samples, hop = (size_t)now.micro.hop_samples;
    const size_t rows = now.samples < frame ? 0 : 1 + (now.samples - frame) / hop;
    (void)isa;
    *found = (sizes){now.samples * 2, rows * (size_t)now.micro.channels * 4,
                     ek_micro_stream_bytes(plan), rows};
    now.rows = rows;
    return rows <= 2000;
}

static int64_t run_micro(const void *plan, int isa, const void *input, void *out, void *work)
{
    int64_t rows = ek_micro_stream_start(plan, isa, work, ek_micro_stream_bytes(plan));
    uint64_t state = 1;
    for (size_t at = 0; at < now.samples && rows >= 0;) {
        const size_t chunk = next_chunk(&state, now.samples - at);
        const int64_t more = ek_micro_stream_push(
            plan, work, (const int16_t *)input + at, chunk, now.rows - (size_t)rows,
            (float *)out + (size_t)rows * (size_t)now.micro.channels);
        rows = more < 0 ? more : rows + more;
        at += chunk;
    }
    return rows;
}

static void check_micro(const void *plan, const void *input, const void *out)
{
    const size_t values = now.rows * (size_t)now.micro.channels, bytes = ek_micro_stream_bytes(plan);
    float *whole = aligned_new(values * sizeof(float));
    ek_micro_stream *stream = aligned_new(bytes);
    CHECK(ek_micro_stream_start(plan, EK_PORTABLE, stream, bytes) == EK_OK, "start");
    CHECK(ek_micro_stream_push(plan, stream, input, now.samples, now.rows, whole) == (int64_t)now.rows,
          "whole");
    CHECK(same_bits(4, whole, out, values * 4), "micro: chunks of %zu differ from the whole", now.chunk);
    free(whole);
    free(stream);
}

const operation micro_operation = {
    "micro", "frame of 10 ms chunks", 4, draw_micro, usual_micro, build_micro, measure_micro,
    fill_shorts, run_micro, check_micro};

static size_t draw_clamp(source *from)
{
    now.samples = draw(from) % 300;
    now.range = (float)draw_below(from, 100);
    now.offset = (float)draw_below(from, 10);
    now.scale = bits_as_float(draw(from));
    return EK_ALIGNMENT;
}

static void usual_clamp(void)
{
    now.samples = 80000;
    now.range = 8.0f;
    now.offset = 4.0f;
    now.scale = 0.25f;
}

static int no_plan(void *plan, size_t bytes) { return (void)plan, (void)bytes, EK_OK; }

static int measure_clamp(const void *plan, int isa, sizes *found)
{
    (void)plan, (void)isa;
    *found = (sizes){now.samples * 4, now.samples * 4, 0, now.samples};
    return 1;
}

static int64_t run_clamp(const void *plan, int isa, const void *input, void *out, void *work)
{
    (void)plan, (void)isa, (void)work;
    memcpy(out, input, now.samples * 4);
    return ek_clamp_range(out, now.samples, now.range, now.offset, now.scale);
}

const operation clamp_operation = {
    "clamp", "value", 4, draw_clamp, usual_clamp, no_plan, measure_clamp, fill_floats, run_clamp,
    NULL};
