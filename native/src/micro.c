/* TFLite-micro's fixed-point front end of a signal that comes in chunks: noise reduction, gain control
 * and logarithm after the spectrum. As tensorflow/lite/experimental/microfrontend (Apache-2.0). */
#include <string.h>

#include "operations.h"

struct ek_micro_stream {
    ek_micro_operations operations;
    size_t held; /* samples in the buffer */
    size_t scratch; /* its offset from the buffer, in bytes */
    uint32_t noise[EK_MICRO_MAX_CHANNELS]; /* its estimates, scaled up */
};

enum { HEADER_BYTES = (sizeof(ek_micro_stream) + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT };

/* Entry i of 128: 65536 (log2(1 + i / 128) - i / 128), rounded. */
static const uint16_t log2_bends[130] = {
    0, 224, 442, 654, 861, 1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797,
    2944, 3087, 3224, 3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549,
    4633, 4714, 4791, 4864, 4934, 5001, 5063, 5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444,
    5477, 5507, 5533, 5557, 5578, 5595, 5610, 5622, 5631, 5637, 5640, 5641, 5638, 5633, 5626,
    5615, 5602, 5586, 5568, 5547, 5524, 5498, 5470, 5439, 5406, 5370, 5332, 5291, 5249, 5203,
    5156, 5106, 5054, 5000, 4944, 4885, 4825, 4762, 4697, 4630, 4561, 4490, 4416, 4341, 4264,
    4184, 4103, 4020, 3935, 3848, 3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084, 2981, 2875,
    2768, 2659, 2549, 2437, 2323, 2207, 2090, 1971, 1851, 1729, 1605, 1480, 1353, 1224, 1094,
    963, 830, 695, 559, 421, 282, 142, 0, 0,
};

/* Of a number that is not 0. */
static uint32_t bits_of(uint32_t x) { return 32 - (uint32_t)__builtin_clz(x); }

/* The bits below the first one, of a number that is not 0, from the top of 32 bits down. */
static uint32_t below_first(uint32_t x) { return x << __builtin_clz(x) << 1; }

/* Takes the estimate of stationary noise from a channel. */
static uint32_t denoised(const ek_micro_plan *plan, int32_t c, uint32_t signal, uint32_t *noise)
{
    const uint32_t smoothing =
        (uint32_t)(c % 2 == 0 ? plan->even_smoothing : plan->odd_smoothing);
    const uint32_t rest = (UINT32_C(1) << EK_MICRO_NOISE_BITS) - smoothing;
    const uint32_t scaled = signal << plan->config.smoothing_bits;
    uint32_t estimate = (uint32_t)(((uint64_t)scaled * smoothing + (uint64_t)*noise * rest) >>
                                   EK_MICRO_NOISE_BITS);
    *noise = estimate;
    estimate = estimate > scaled ? scaled : estimate;
    const uint32_t least = (uint32_t)(((uint64_t)signal * (uint32_t)plan->least_remaining) >>
                                      EK_MICRO_NOISE_BITS);
    const uint32_t left = (scaled - estimate) >> plan->config.smoothing_bits;
    return left > least ? left : least;
}

/* The gain for a noise estimate: a parabola for its number of bits. */
static uint32_t gain_for(const int16_t *gains, uint32_t x)
{
    if (x <= 2)
        return (uint32_t)(int32_t)gains[x];
    const uint32_t bits = bits_of(x);
    const int16_t *at = gains + 4 * bits - 6;
    const uint32_t part = below_first(x) >> 22;
    const uint32_t bend = (uint32_t)((at[2] * (int32_t)part) >> 5);
    const uint32_t product = (bend + ((uint32_t)(int32_t)at[1] << 5)) * part + (1 << 14);
    return (uint32_t)(int32_t)(int16_t)(((int32_t)product >> 15) + at[0]);
}

static uint32_t gained(const ek_micro_plan *plan, uint32_t signal, uint32_t noise)
{
    const uint32_t gain = gain_for(ek_micro_table(plan, plan->gains), noise);
    const uint32_t x = (uint32_t)(((uint64_t)signal * gain) >> plan->snr_shift);
    const uint32_t low = (x * x) >> (2 + 2 * EK_MICRO_SNR_BITS - EK_MICRO_GAIN_BITS);
    const uint32_t high = (x >> (EK_MICRO_SNR_BITS - EK_MICRO_GAIN_BITS)) - (1 << EK_MICRO_GAIN_BITS);
    return x < (2 << EK_MICRO_SNR_BITS) ? low : high;
}

/* Natural logarithm of a number above 1, times 2^shift. */
static uint32_t logarithm(uint32_t x, int32_t shift)
{
    const uint32_t whole = bits_of(x) - 1, half = 1 << 15;
    const uint32_t part = below_first(x) >> 16;
    const uint32_t segment = part >> 9;
    const int32_t low = log2_bends[segment], high = log2_bends[segment + 1];
    const int32_t bend = low + (((high - low) * (int32_t)(part - (segment << 9))) >> 16);
    const uint32_t log2 = (whole << 16) + part + (uint32_t)bend;
    const uint32_t natural = (uint32_t)((UINT64_C(45426) * log2 + half) >> 16); /* ln 2 */
    return ((natural << shift) + half) >> 16;
}

static float level(const ek_micro_plan *plan, uint32_t value)
{
    const int32_t correction = plan->correction_bits;
    if (plan->config.log) {
        value = correction < 0 ? value >> -correction : value << correction;
        value = value > 1 ? logarithm(value, plan->config.log_shift) : 0;
    }
    return (float)(value < UINT16_MAX ? value : UINT16_MAX) * plan->config.output_scale;
}

static void one(const ek_micro_plan *plan, ek_micro_stream *stream, float *out)
{
    uint32_t channels[EK_MICRO_MAX_CHANNELS];
    char *memory = (char *)stream + HEADER_BYTES;
    stream->operations.spectrum(plan, (const int16_t *)(void *)memory, channels,
                                (int32_t *)(void *)(memory + stream->scratch));
    for (int32_t c = 0; c < plan->config.channels; c++) {
        const uint32_t signal = denoised(plan, c, channels[c], &stream->noise[c]);
        out[c] = level(plan, plan->config.pcan ? gained(plan, signal, stream->noise[c]) : signal);
    }
}

/* Samples that are held at most: one window. */
static size_t buffer_bytes(const ek_micro_plan *plan)
{
    const size_t bytes = (size_t)plan->config.window_samples * sizeof(int16_t);
    return (bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
}

size_t ek_micro_stream_bytes(const ek_micro_plan *plan)
{
    if (!plan)
        return 0;
    const size_t scratch = ek_micro_scratch_values(plan) * sizeof(int32_t);
    return (HEADER_BYTES + buffer_bytes(plan) + scratch + 63) / EK_ALIGNMENT * EK_ALIGNMENT;
}

int ek_micro_stream_start(const ek_micro_plan *plan, int isa, void *memory, size_t bytes)
{
    ek_operations operations;
    if (!plan || !memory || bytes < ek_micro_stream_bytes(plan))
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)plan % EK_ALIGNMENT != 0 || (uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    *(ek_micro_stream *)memory =
        (ek_micro_stream){.operations = operations.micro, .scratch = buffer_bytes(plan)};
    return EK_OK;
}

int64_t ek_micro_stream_push(const ek_micro_plan *plan, ek_micro_stream *stream,
                             const int16_t *samples, size_t sample_count, size_t room, float *out)
{
    if (!plan || !stream || (sample_count != 0 && !samples) || (room != 0 && !out))
        return EK_BAD_ARGUMENT;
    const size_t window = (size_t)plan->config.window_samples;
    const size_t hop = (size_t)plan->config.hop_samples, total = stream->held + sample_count;
    const size_t frames = total < window ? 0 : 1 + (total - window) / hop;
    int16_t *buffer = (int16_t *)(void *)((char *)stream + HEADER_BYTES);
    if (frames > room)
        return EK_BAD_ARGUMENT;
    while (sample_count > 0) {
        const size_t space = window - stream->held;
        const size_t taken = space < sample_count ? space : sample_count;
        memcpy(buffer + stream->held, samples, taken * sizeof *samples);
        stream->held += taken;
        samples += taken;
        sample_count -= taken;
        if (stream->held < window)
            break;
        one(plan, stream, out);
        out += plan->config.channels;
        stream->held -= hop;
        memmove(buffer, buffer + hop, stream->held * sizeof *buffer);
    }
    return (int64_t)frames;
}

int64_t ek_micro_port_int16(ek_port *port, const void *samples, size_t sample_count)
{
    if (!port)
        return EK_BAD_ARGUMENT;
    const ek_micro_plan *plan = port->plan;
    const int64_t frames =
        ek_micro_stream_push(plan, port->stream, samples, sample_count, port->room, port->out);
    if (frames > 0) {
        port->out += (size_t)frames * (size_t)plan->config.channels;
        port->room -= (size_t)frames;
    }
    return frames;
}
