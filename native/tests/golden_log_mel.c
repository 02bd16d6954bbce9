/* Golden cases of log-mel energies, their streams and their cepstra. */
#include "check.h"
#include "golden.h"
#include "presets.h"

enum { SAMPLES = 4800 };

typedef struct {
    ek_log_mel_plan *plan;
    const void *samples;
    float *out;
    int type, isa;
    size_t rows, columns;
} job;

/* Coloured noise that swells. */
static const void *signal_of(int type)
{
    static float floats[SAMPLES];
    static int16_t shorts[SAMPLES];
    uint64_t state = 11;
    float slow = 0.0f;
    for (size_t i = 0; i < SAMPLES; i++) {
        slow = 0.9f * slow + next_float(&state);
        floats[i] = slow * (float)i;
        shorts[i] = (int16_t)(slow * 3000.0f);
    }
    return type == EK_INT16 ? (const void *)shorts : floats;
}

static job job_of(const ek_log_mel_config *config, int type, int isa)
{
    const size_t bytes = ek_log_mel_plan_bytes(config);
    job j = {.plan = aligned_new(bytes), .samples = signal_of(type), .type = type, .isa = isa};
    CHECK(ek_log_mel_plan_build(config, j.plan, bytes) == EK_OK, "no plan");
    j.rows = ek_log_mel_frames(j.plan, SAMPLES);
    j.columns = ek_log_mel_columns(j.plan);
    j.out = aligned_new(j.rows * j.columns * sizeof(float));
    return j;
}

static void done(job *j)
{
    free(j->plan);
    free(j->out);
}

static void whole(golden_lines *to, int isa, const char *name, const ek_log_mel_config *config, int type)
{
    job j = job_of(config, type, isa);
    void *scratch = aligned_new(ek_log_mel_scratch_bytes(j.plan, isa));
    CHECK(ek_log_mel(j.plan, isa, j.samples, type, SAMPLES, j.out, scratch) == EK_OK, "%s", name);
    golden_add(to, EK_FLOAT32, j.out, j.rows * j.columns, "log_mel %s %s", name,
               type == EK_INT16 ? "int16" : "float32");
    free(scratch);
    done(&j);
}

static void streamed(golden_lines *to, int isa, const char *name, const ek_log_mel_config *config,
                     int type, size_t chunk)
{
    job j = job_of(config, type, isa);
    const size_t bytes = ek_log_mel_stream_bytes(j.plan, isa), each = type == EK_INT16 ? 2 : 4;
    ek_log_mel_stream *stream = aligned_new(bytes);
    CHECK(ek_log_mel_stream_start(j.plan, isa, stream, bytes) == EK_OK, "%s", name);
    size_t row = 0;
    for (size_t at = 0; at < SAMPLES; at += chunk) {
        const size_t count = SAMPLES - at < chunk ? SAMPLES - at : chunk;
        const int64_t more = ek_log_mel_stream_push(
            j.plan, stream, (const char *)j.samples + at * each, type, count, at + count == SAMPLES,
            j.rows - row, j.out + row * j.columns);
        CHECK(more >= 0, "%s at %zu", name, at);
        row += (size_t)more;
    }
    CHECK(row == j.rows, "%s: %zu rows", name, row);
    golden_add(to, EK_FLOAT32, j.out, row * j.columns, "stream %s %s in chunks of %zu", name,
               type == EK_INT16 ? "int16" : "float32", chunk);
    free(stream);
    done(&j);
}

static void cepstra(golden_lines *to, int isa, const char *name, const ek_log_mel_config *config,
                    size_t rows)
{
    job j = job_of(config, EK_FLOAT32, isa);
    const size_t count = rows * (size_t)config->mel_bins, values = rows * (size_t)config->cepstra;
    float *levels = aligned_new(count * sizeof(float)), *out = aligned_new(values * sizeof(float));
    uint64_t state = 23;
    for (size_t i = 0; i < count; i++)
        levels[i] = 20.0f * next_float(&state);
    CHECK(ek_log_mel_cepstra(j.plan, isa, levels, rows, out) == EK_OK, "%s", name);
    golden_add(to, EK_FLOAT32, out, values, "cepstra %s of %zu rows", name, rows);
    free(levels);
    free(out);
    done(&j);
}

/* The levels of Whisper, after the largest of all is known. */
static void clamped(golden_lines *to, size_t count)
{
    float *values = aligned_new(count * sizeof(float));
    uint64_t state = 29;
    for (size_t i = 0; i < count; i++)
        values[i] = 10.0f * next_float(&state);
    CHECK(ek_clamp_range(values, count, 8.0f, 4.0f, 0.25f) == EK_OK, "clamp");
    golden_add(to, EK_FLOAT32, values, count, "clamp of %zu values", count);
    free(values);
}

/* What a preset gives with other numbers. */
#define WITH(base, field, value)                                                                   \
    do {                                                                                           \
        ek_log_mel_config config = base;                                                           \
        config.field = value;                                                                      \
        whole(to, isa, #base " with " #field "=" #value, &config, EK_FLOAT32);                     \
    } while (0)

static void windows_and_transforms(golden_lines *to, int isa)
{
    WITH(kaldi_80, window, EK_WINDOW_HANN_PERIODIC);
    WITH(kaldi_80, window, EK_WINDOW_HANN);
    WITH(kaldi_80, window, EK_WINDOW_HAMMING);
    WITH(kaldi_80, window, EK_WINDOW_HAMMING_PERIODIC);
    WITH(kaldi_80, window, EK_WINDOW_RECTANGULAR);
    WITH(kaldi_80, window_samples, 333);
    WITH(kaldi_80, fft_samples, 400);
    WITH(kaldi_80, fft_samples, 480);
    WITH(kaldi_80, fft_samples, 540);
    WITH(kaldi_80, fft_samples, 640);
    WITH(kaldi_80, fft_samples, 1250);
    WITH(kaldi_80, fft_samples, 2048);
    WITH(whisper_80, fft_samples, 4096);
    WITH(kaldi_80, hop_samples, 57);
    WITH(kaldi_80, hop_samples, 401);
    WITH(kaldi_80, remove_dc, 0);
    WITH(kaldi_80, preemphasis, 0.0f);
    WITH(kaldi_80, input_scale, 0.001f);
    WITH(kaldi_80, dither, 2.5f);
    WITH(kaldi_80, framing, EK_FRAMES_CENTRED);
    WITH(kaldi_80, framing, EK_FRAMES_CENTRED_BUT_LAST);
    WITH(kaldi_80, framing, EK_FRAMES_HOPS);
    WITH(whisper_80, padding, EK_PAD_SYMMETRIC);
    WITH(whisper_80, padding, EK_PAD_ZERO);
    WITH(whisper_80, padding, EK_PAD_EDGE);
}

static void bands_and_levels(golden_lines *to, int isa)
{
    WITH(kaldi_80, mel_bins, 23);
    WITH(kaldi_80, mel_bins, 128);
    WITH(whisper_80, mel_bins, 128);
    WITH(whisper_80, mel_bins, 256);
    WITH(kaldi_80, mel_scale, EK_MEL_SLANEY);
    WITH(kaldi_80, mel_scale, EK_MEL_HTK);
    WITH(whisper_80, mel_scale, EK_MEL_HTK);
    WITH(whisper_80, mel_area, 0);
    WITH(kaldi_80, low_hz, 700.0);
    WITH(kaldi_80, high_hz, 3999.5);
    WITH(kaldi_80, magnitude, 1);
    WITH(kaldi_80, energy, 1);
    WITH(kaldi_80, floor, 1e6f);
    WITH(kaldi_80, logarithm, EK_LOG_10);
    WITH(kaldi_80, logarithm, EK_LOG_DB);
    WITH(kaldi_80, logarithm, EK_LOG_NONE);
    WITH(magnitudes_40, logarithm, EK_LOG_10);
    WITH(cepstra_13, cepstra, 23);
    WITH(cepstra_13, energy, 0);
    WITH(cepstra_13, lifter, 0.0f);
    WITH(cepstra_13, lifter_from, 1);
}

void golden_log_mel(golden_lines *to, int isa)
{
    static const char *const names[] = {"kaldi_80", "whisper_80", "narrow_23",
                                        "tiny_1", "cepstra_13", "magnitudes_40"};
    static const size_t chunks[] = {1, 160, 333, 1601, SAMPLES};
    CHECK(COUNT(names) == COUNT(presets), "a preset has no name");
    for (size_t i = 0; i < COUNT(presets); i++)
        for (int type = EK_FLOAT32; type <= EK_INT16; type++) {
            whole(to, isa, names[i], presets[i], type);
            for (size_t c = 0; c < COUNT(chunks); c++)
                streamed(to, isa, names[i], presets[i], type, chunks[c]);
        }
    windows_and_transforms(to, isa);
    bands_and_levels(to, isa);
    cepstra(to, isa, "cepstra_13", &cepstra_13, 1);
    cepstra(to, isa, "cepstra_13", &cepstra_13, 37);
    clamped(to, 1);
    clamped(to, 999);
}
