/* Tables of TFLite-micro's front end, as tensorflow/lite/experimental/microfrontend computes them
 * (Apache-2.0), whose single-precision steps decide the last bit. */
#include "micro_plan.h"

#include <string.h>

#include "elementary.h"

static int within(int32_t value, int32_t least, int32_t most)
{
    return value >= least && value <= most;
}

static int share(float value) { return value >= 0.0f && value <= 1.0f; }

static int is_sound(const ek_micro_config *c)
{
    return c && within(c->sample_rate_hz, 1000, 1000000) &&
           within(c->window_samples, 129, EK_MICRO_MAX_FFT) &&
           within(c->hop_samples, 1, c->window_samples) &&
           within(c->channels, 1, EK_MICRO_MAX_CHANNELS) && c->low_hz >= 0.0f &&
           c->low_hz < c->high_hz && c->high_hz < 0.5f * (float)c->sample_rate_hz &&
           within(c->smoothing_bits, 0, 16) && share(c->even_smoothing) &&
           share(c->odd_smoothing) && share(c->min_signal_remaining) && within(c->pcan, 0, 1) &&
           c->pcan_strength >= 0.0f && c->pcan_strength <= 2.0f && c->pcan_offset >= 1e-3f &&
           c->pcan_offset <= 1e9f && within(c->gain_bits, 12, 24) && within(c->log, 0, 1) &&
           within(c->log_shift, 0, 16) && c->output_scale > 0.0f && c->output_scale <= 1e6f;
}

static int32_t fft_samples(const ek_micro_config *config)
{
    int32_t size = 256;
    while (size < config->window_samples)
        size *= 2;
    return size;
}

static int32_t bits_of(int32_t value)
{
    int32_t bits = 0;
    for (; value > 0; value >>= 1)
        bits++;
    return bits;
}

static uint32_t reserve(uint32_t *end, uint32_t bytes)
{
    const uint32_t start = *end;
    *end = (start + bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
    return start;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ln(1 + x), x >= 0, in the steps of FDLIBM's s_log1pf.c (Sun Microsystems 1993, freely granted),
 * which glibc up to 2.40 and newlib have: not always the nearest float, and weights hang on it. */
static float log1p_single(float x)
{
    const float ln2_high = 6.9313812256e-01f, ln2_low = 9.0580006145e-06f;
    float f = x, lost = 0.0f, k = 0.0f;
    if (x >= 0.41421354f) {
        const float u = 1.0f + x;
        const uint32_t mantissa = bits_of_float(u) & 0x7fffff;
        const int above = mantissa >= 0x3504f7; /* sqrt 2 */
        k = (float)((int)(bits_of_float(u) >> 23) - 127);
        lost = (k > 0.0f ? 1.0f - (u - x) : x - (u - 1.0f)) / u;
        f = float_of_bits(mantissa | (above ? 0x3f000000 : 0x3f800000)) - 1.0f;
        k += (float)above;
    }
    const float half = 0.5f * f * f, s = f / (2.0f + f), z = s * s;
    const float even = 1.5313838422e-01f + z * 1.4798198640e-01f;
    const float r = z * (6.6666668653e-01f +
                         z * (4.0000000596e-01f +
                              z * (2.8571429849e-01f +
                                   z * (2.2222198546e-01f + z * (1.8183572590e-01f + z * even)))));
    if (k == 0.0f)
        return f - (half - s * (half + r));
    return k * ln2_high - ((half - (s * (half + r) + (k * ln2_low + lost))) - f);
}

static float mel(float hz) { return 1127.0f * log1p_single(hz / 700.0f); }

/* Centre of channel c, in mel; one before the first is the lower edge. */
static float centre(const ek_micro_config *config, int32_t c)
{
    const float low = mel(config->low_hz), span = mel(config->high_hz) - low;
    const float spacing = span / (float)(config->channels + 1);
    return c < 0 ? low : low + spacing * (float)(c + 1);
}

static float hz_of_bin(const ek_micro_plan *plan, int32_t bin)
{
    const float hz = 0.5f * (float)plan->config.sample_rate_hz / (float)(plan->fft_samples / 2);
    return (float)bin * hz;
}

/* Fills the segments and the bins' range; 0 when the band runs into the last bin. */
static int find_bins(ek_micro_plan *plan, ek_micro_segment *segments)
{
    const ek_micro_config *config = &plan->config;
    int32_t bin = (int32_t)(1.5f + config->low_hz / hz_of_bin(plan, 1)), weight = 0;
    int32_t before = bin; /* where the segment before starts */
    plan->first_bin = bin;
    for (int32_t c = 0; c <= config->channels; c++) {
        const int32_t first = bin;
        while (bin <= plan->fft_samples / 2 && mel(hz_of_bin(plan, bin)) <= centre(config, c))
            bin++;
        segments[c] = (ek_micro_segment){(int16_t)first, (int16_t)(bin - first), (int16_t)weight};
        weight += bin - first;
        plan->broad |= bin - before > EK_MICRO_EXACT_BINS;
        before = first;
    }
    plan->end_bin = bin;
    return bin <= plan->fft_samples / 2;
}

static int lay_out(const ek_micro_config *config, ek_micro_plan *plan)
{
    ek_micro_segment segments[EK_MICRO_MAX_CHANNELS + 1];
    if (!is_sound(config))
        return 0;
    *plan = (ek_micro_plan){.config = *config, .fft_samples = fft_samples(config)};
    if (!find_bins(plan, segments))
        return 0;
    plan->correction_bits = bits_of(plan->fft_samples) - 1 - EK_MICRO_FILTER_BITS / 2;
    plan->snr_shift = config->gain_bits - plan->correction_bits - EK_MICRO_SNR_BITS;
    if (plan->snr_shift < 0 || config->smoothing_bits < plan->correction_bits)
        return 0;
    const float one = (float)(1 << EK_MICRO_NOISE_BITS);
    plan->even_smoothing = (uint16_t)(config->even_smoothing * one);
    plan->odd_smoothing = (uint16_t)(config->odd_smoothing * one);
    plan->least_remaining = (uint16_t)(config->min_signal_remaining * one);
    const uint32_t half = (uint32_t)plan->fft_samples / 2;
    uint32_t end = 0;
    reserve(&end, sizeof *plan);
    plan->window = reserve(&end, (uint32_t)config->window_samples * 2);
    plan->turns = reserve(&end, half * 8);
    plan->split = reserve(&end, (uint32_t)ek_micro_split_stride(plan->fft_samples) * 8);
    plan->segments = reserve(&end, (uint32_t)(config->channels + 1) * sizeof *segments);
    plan->weights = reserve(&end, (uint32_t)(plan->end_bin - plan->first_bin + 1) * 16);
    plan->gains = reserve(&end, EK_MICRO_GAIN_TABLE * 2);
    plan->bytes = end;
    return 1;
}

/* The largest whole number that is not larger. */
static int32_t whole(double value)
{
    const int32_t near = (int32_t)value;
    return (double)near > value ? near - 1 : near;
}

static void fill_window(const ek_micro_config *config, int16_t *window)
{
    const float step = 3.14159265358979323846f * 2.0f / (float)config->window_samples;
    for (int32_t i = 0; i < config->window_samples; i++) {
        const float angle = step * ((float)i + 0.5f);
        const float value = 0.5f - 0.5f * (float)ek_table_cos((double)angle);
        window[i] = (int16_t)whole(value * (float)(1 << EK_MICRO_WINDOW_BITS) + 0.5f);
    }
}

static int32_t fraction(double value) { return whole(0.5 + 32767.0 * value); }

static int32_t pair(int32_t low, int32_t high)
{
    return (int32_t)(((uint32_t)low & 0xffff) | (uint32_t)high << 16);
}

/* For each stage of four, of `done` results each, leg by leg: (re, -im), then (im, re). */
static void fill_turns(const ek_micro_plan *plan, int32_t *turns)
{
    const int32_t half = plan->fft_samples / 2, odd = bits_of(half) % 2 == 0;
    for (int32_t done = odd ? 2 : 1; done < half; turns += 6 * done, done *= 4)
        for (int32_t leg = 1; leg < 4; leg++)
            for (int32_t k = 0; k < done; k++) {
                const int32_t re = fraction(ek_cos_turn(leg * k, 4 * done));
                const int32_t im = fraction(-ek_sin_turn(leg * k, 4 * done));
                turns[2 * (leg - 1) * done + k] = pair(re, -im);
                turns[(2 * leg - 1) * done + k] = pair(im, re);
            }
}

/* -i e^(-2 pi i k / fft_samples): (re, -im), then (im, re). */
static void fill_split(const ek_micro_plan *plan, int32_t *split)
{
    const int32_t stride = ek_micro_split_stride(plan->fft_samples);
    for (int32_t k = 0; k < stride; k++) {
        const int32_t re = fraction(-ek_sin_turn(k, plan->fft_samples));
        const int32_t im = fraction(-ek_cos_turn(k, plan->fft_samples));
        split[k] = pair(re, -im);
        split[stride + k] = pair(im, re);
    }
}

static void fill_weights(const ek_micro_plan *plan, const ek_micro_segment *segments,
                         double *weights)
{
    const float one = (float)(1 << EK_MICRO_FILTER_BITS);
    for (int32_t c = 0; c <= plan->config.channels; c++) {
        const float high = centre(&plan->config, c), low = centre(&plan->config, c - 1);
        for (int32_t i = 0; i < segments[c].count; i++) {
            const float part = (high - mel(hz_of_bin(plan, segments[c].first + i))) / (high - low);
            *weights++ = whole(part * one + 0.5f);
            *weights++ = whole((1.0f - part) * one + 0.5f);
        }
    }
}

static int16_t gain(const ek_micro_plan *plan, uint32_t x)
{
    const ek_micro_config *config = &plan->config;
    const int32_t bits = config->smoothing_bits - plan->correction_bits;
    const float base = (float)x / (float)(UINT32_C(1) << bits) + config->pcan_offset;
    const double power = ek_table_exp(-(double)config->pcan_strength * ek_table_ln((double)base));
    const float value = (float)(UINT32_C(1) << config->gain_bits) * (float)power;
    return value > 32767.0f ? 32767 : (int16_t)(value + 0.5f);
}

/* For each number of bits a parabola through three points. */
static void fill_gains(const ek_micro_plan *plan, int16_t *gains)
{
    gains[0] = gain(plan, 0);
    gains[1] = gain(plan, 1);
    for (int32_t bits = 2; bits <= 32; bits++) {
        const uint32_t x0 = UINT32_C(1) << (bits - 1), x1 = x0 + (x0 >> 1);
        const uint32_t x2 = bits == 32 ? x0 + (x0 - 1) : 2 * x0;
        const int32_t y0 = gain(plan, x0), rise = gain(plan, x1) - y0, all = gain(plan, x2) - y0;
        int16_t *at = gains + 4 * bits - 6;
        at[0] = (int16_t)y0;
        at[1] = (int16_t)(4 * rise - all);
        at[2] = (int16_t)(all - (4 * rise - all));
    }
}

size_t ek_micro_plan_bytes(const ek_micro_config *config)
{
    ek_micro_plan plan;
    return lay_out(config, &plan) ? plan.bytes : 0;
}

int ek_micro_plan_build(const ek_micro_config *config, void *memory, size_t bytes)
{
    ek_micro_plan plan;
    if (!memory || !lay_out(config, &plan) || bytes < plan.bytes)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    char *base = memory;
    ek_micro_segment *segments = (ek_micro_segment *)(base + plan.segments);
    find_bins(&plan, segments);
    *(ek_micro_plan *)memory = plan;
    fill_window(config, (int16_t *)(base + plan.window));
    fill_turns(&plan, (int32_t *)(base + plan.turns));
    fill_split(&plan, (int32_t *)(base + plan.split));
    fill_weights(&plan, segments, (double *)(base + plan.weights));
    for (int32_t i = 0; i < EK_MICRO_GAIN_TABLE; i++)
        ((int16_t *)(base + plan.gains))[i] = 0;
    fill_gains(&plan, (int16_t *)(base + plan.gains));
    return EK_OK;
}
