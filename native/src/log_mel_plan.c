#include "log_mel_plan.h"

#include <float.h>
#include <string.h>

#include "cepstrum.h"
#include "elementary.h"
#include "fft_plan.h"
#include "mel.h"
#include "windows.h"

static int within(int32_t value, int32_t least, int32_t most)
{
    return value >= least && value <= most;
}

static int sizes_are_sound(const ek_log_mel_config *c)
{
    return within(c->fft_samples, 2, EK_MAX_FFT) && c->fft_samples % 2 == 0 &&
           within(c->frame_samples, 2, c->fft_samples) &&
           within(c->window_samples, 2, c->frame_samples) && within(c->hop_samples, 1, EK_MAX_FFT) &&
           c->sample_rate_hz >= 1 && within(c->mel_bins, 1, EK_MAX_MEL_BINS) &&
           within(c->cepstra, 0, c->mel_bins) &&
           (c->framing != EK_FRAMES_HOPS || c->hop_samples <= c->frame_samples);
}

static int numbers_are_sound(const ek_log_mel_config *c)
{
    return c->low_hz >= 0.0 && c->low_hz < c->high_hz && c->high_hz <= 0.5 * c->sample_rate_hz &&
           c->floor >= FLT_MIN && c->floor <= FLT_MAX && c->preemphasis >= 0.0f &&
           c->preemphasis <= 1.0f && c->input_scale > 0.0f && c->input_scale <= FLT_MAX &&
           c->dither >= 0.0f && c->dither <= FLT_MAX && (c->lifter == 0.0f || (c->lifter >= 1.0f && c->lifter <= 1000.0f));
}

static int choices_are_known(const ek_log_mel_config *c)
{
    return within(c->window, EK_WINDOW_POVEY, EK_WINDOW_RECTANGULAR) &&
           within(c->mel_scale, EK_MEL_KALDI, EK_MEL_HTK) && within(c->mel_area, 0, 1) &&
           within(c->framing, EK_FRAMES_WHOLE, EK_FRAMES_HOPS) &&
           within(c->padding, EK_PAD_REFLECT, EK_PAD_EDGE) && within(c->magnitude, 0, 1) &&
           within(c->logarithm, EK_LOG_NATURAL, EK_LOG_NONE) && within(c->remove_dc, 0, 1) &&
           within(c->energy, 0, 1) && within(c->lifter_from, 0, 1);
}

static int32_t samples_before(const ek_log_mel_config *c)
{
    if (c->framing == EK_FRAMES_WHOLE)
        return 0;
    return c->framing == EK_FRAMES_HOPS ? c->frame_samples / 2 - c->hop_samples / 2
                                        : c->frame_samples / 2;
}

/* Neighbouring frames share the sums of blocks, where these are whole vectors. */
static int32_t sum_block(int32_t frame_samples, int32_t hop_samples)
{
    int32_t a = frame_samples, b = hop_samples;
    while (b != 0) {
        const int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a % 16 == 0 ? a : frame_samples;
}

/* A power of two near 1 is multiplied into the window: the same bits, and samples are read in place. */
static void share_scale(const ek_log_mel_config *config, ek_log_mel_plan *plan)
{
    uint32_t bits;
    memcpy(&bits, &config->input_scale, sizeof bits);
    const int exact = (bits & 0x7fffff) == 0 && bits >> 23 >= 127 - 20 && bits >> 23 <= 127 + 20;
    const int windowed = exact && config->dither == 0.0f;
    plan->scale = windowed ? 1.0f : config->input_scale;
    plan->window_scale = windowed ? config->input_scale : 1.0f;
}

static uint32_t reserve(uint32_t *end, uint32_t bytes)
{
    const uint32_t start = *end;
    *end = (start + bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
    return start;
}

/* Real parts of a leg's turns, padded to whole vectors, then the imaginary ones; seven legs. */
static int32_t first_count(int32_t half) { return half % 8 == 0 ? 14 * ((half / 8 + 15) / 16 * 16) : 0; }

/* Pairs for all bins, and as far as a vector reaches. */
static uint32_t weight_count(int32_t half) { return 2 * ((uint32_t)half + 1 + 16); }

/* Header with offsets; 0 when the configuration is refused. */
static int lay_out(const ek_log_mel_config *config, ek_log_mel_plan *plan)
{
    if (!config || !sizes_are_sound(config) || !numbers_are_sound(config) || !choices_are_known(config))
        return 0;
    const int32_t half = config->fft_samples / 2;
    *plan = (ek_log_mel_plan){.config = *config};
    plan->before = samples_before(config);
    plan->columns = config->cepstra > 0 ? config->cepstra : config->mel_bins + config->energy;
    share_scale(config, plan);
    plan->sum_block = sum_block(config->frame_samples, config->hop_samples);
    plan->stage_count = ek_fft_radices(half, plan->radix, EK_MAX_STAGES);
    if (plan->stage_count == 0 && half != 1)
        return 0;
    const int32_t twiddles = ek_fft_twiddle_count(half, plan->radix, plan->stage_count);
    uint32_t end = 0;
    reserve(&end, sizeof *plan);
    plan->window = reserve(&end, (uint32_t)config->frame_samples * sizeof(float));
    plan->twiddles = reserve(&end, (uint32_t)twiddles * 2 * sizeof(float));
    plan->first = reserve(&end, (uint32_t)first_count(half) * sizeof(float));
    plan->split = reserve(&end, (uint32_t)ek_split_count(half) * 2 * sizeof(float));
    plan->slots = reserve(&end, (uint32_t)half * sizeof(int32_t));
    plan->segments = reserve(&end, (uint32_t)(config->mel_bins + 1) * sizeof(ek_mel_segment));
    plan->order = reserve(&end, (uint32_t)(config->mel_bins + 1) * sizeof(ek_mel_segment));
    plan->weights = reserve(&end, weight_count(half) * sizeof(float));
    plan->cosines = reserve(&end, (uint32_t)(config->mel_bins * ek_cepstrum_stride(config)) *
                                      (uint32_t)sizeof(float));
    plan->bytes = end;
    return 1;
}

static void fill_first(int32_t half, float *turns)
{
    const int32_t stride = first_count(half) / 14;
    for (int32_t leg = 1; leg < 8 && stride != 0; leg++, turns += 2 * stride)
        for (int32_t j = 0; j < stride; j++) {
            turns[j] = (float)ek_cos_turn((int64_t)j * leg, half);
            turns[stride + j] = (float)-ek_sin_turn((int64_t)j * leg, half);
        }
}

static void fill_window(const ek_log_mel_plan *plan, float *window)
{
    ek_fill_window(&plan->config, window);
    for (int32_t i = 0; i < plan->config.frame_samples; i++)
        window[i] *= plan->window_scale;
}

static void fill_split(int32_t fft_samples, float *re)
{
    const int32_t count = ek_split_count(fft_samples / 2);
    for (int32_t k = 0; k < count; k++) {
        re[k] = (float)ek_cos_turn(k, fft_samples);
        re[count + k] = (float)-ek_sin_turn(k, fft_samples);
    }
}

static void fill_order(const ek_mel_segment *segments, int32_t count, ek_mel_segment *order)
{
    for (int32_t i = 0; i < count; i++) {
        int32_t at = i;
        for (; at > 0 && order[at - 1].count > segments[i].count; at--)
            order[at] = order[at - 1];
        order[at] = (ek_mel_segment){i, segments[i].count, segments[i].weight};
    }
}

size_t ek_log_mel_plan_bytes(const ek_log_mel_config *config)
{
    ek_log_mel_plan plan;
    return lay_out(config, &plan) ? plan.bytes : 0;
}

int ek_log_mel_plan_build(const ek_log_mel_config *config, void *memory, size_t bytes)
{
    ek_log_mel_plan header;
    if (!memory || !lay_out(config, &header) || bytes < header.bytes)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    char *base = memory;
    const int32_t half = config->fft_samples / 2;
    *(ek_log_mel_plan *)memory = header;
    fill_window(&header, (float *)(base + header.window));
    ek_fft_twiddles(half, header.radix, header.stage_count, (float *)(base + header.twiddles));
    fill_first(half, (float *)(base + header.first));
    fill_split(config->fft_samples, (float *)(base + header.split));
    ek_fft_slots(half, header.radix, header.stage_count, (int32_t *)(base + header.slots));
    memset(base + header.weights, 0, weight_count(half) * sizeof(float));
    ek_mel_segments(config, (ek_mel_segment *)(base + header.segments),
                    (float *)(base + header.weights));
    fill_order((const ek_mel_segment *)(base + header.segments), config->mel_bins + 1,
               (ek_mel_segment *)(base + header.order));
    ek_cepstrum_cosines(config, (float *)(base + header.cosines));
    return EK_OK;
}
