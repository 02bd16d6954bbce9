/* The spectrum of TFLite-micro's front end: int16 arithmetic with the roundings, and where numbers
 * are too large the wrapping, of kissfft's fixed-point transform. Compiled once per instruction set. */
#include "audio_lanes.h"

#include "halves.h"
#include "operations.h"
#include "transpose.h"

/* Times a turn: `cross` and `along` are the turn's (re, -im) and (im, re). */
EK_INLINE ek_i32 turned(ek_i32 z, ek_i32 cross, ek_i32 along)
{
    return ek_h_rounded(ek_h_dot(z, cross), ek_h_dot(z, along));
}

/* One butterfly of four in each lane: legs are quartered, turned and transformed. */
EK_INLINE void four(ek_i32 *z, const ek_i32 *w)
{
    const ek_i32 z0 = ek_h_scale(z[0], 8191);
    const ek_i32 t1 = turned(ek_h_scale(z[1], 8191), w[0], w[1]);
    const ek_i32 t2 = turned(ek_h_scale(z[2], 8191), w[2], w[3]);
    const ek_i32 t3 = turned(ek_h_scale(z[3], 8191), w[4], w[5]);
    const ek_i32 a = ek_h_sub(z0, t2), b = ek_h_add(z0, t2);
    const ek_i32 c = ek_h_add(t1, t3), d = ek_h_minus_i(ek_h_sub(t1, t3));
    z[0] = ek_h_add(b, c);
    z[1] = ek_h_add(a, d);
    z[2] = ek_h_sub(b, c);
    z[3] = ek_h_sub(a, d);
}

/* Butterflies over `count` neighbours, whole vectors, which share their turns. */
static void even_fours(const int32_t *from, int32_t *to, int32_t apart, int32_t count,
                       const ek_i32 *w)
{
    for (int32_t n = 0; n < count; n += EK_LANES) {
        ek_i32 z[4];
        EK_UNROLL for (int q = 0; q < 4; q++) z[q] = ek_h_load(from + n + q * count);
        four(z, w);
        EK_UNROLL for (int q = 0; q < 4; q++) ek_h_store(to + n + q * apart, z[q]);
    }
}

/* Butterflies over `count` neighbours, whole vectors, each with its turns; in place. */
static void turned_fours(int32_t *at, int32_t count, const int32_t *turns)
{
    for (int32_t k = 0; k < count; k += EK_LANES) {
        ek_i32 z[4], w[6];
        EK_UNROLL for (int i = 0; i < 6; i++) w[i] = ek_h_load(turns + k + i * count);
        EK_UNROLL for (int q = 0; q < 4; q++) z[q] = ek_h_load(at + k + q * count);
        four(z, w);
        EK_UNROLL for (int q = 0; q < 4; q++) ek_h_store(at + k + q * count, z[q]);
    }
}

/* The first stage where the size is an odd power of two: legs are halved, and not turned but for the
 * rounding of a turn by nothing. */
static void twos(const int32_t *from, int32_t *to, int32_t count)
{
    const ek_i32 cross = ek_h_splat(32767), along = ek_h_splat(32767 * 65536);
    for (int32_t n = 0; n < count; n += EK_LANES) {
        const ek_i32 z = ek_h_scale(ek_h_load(from + n), 16383);
        const ek_i32 t = turned(ek_h_scale(ek_h_load(from + n + count), 16383), cross, along);
        ek_h_store(to + n, ek_h_add(z, t));
        ek_h_store(to + n + count, ek_h_sub(z, t));
    }
}

/* Digits to the base of four, the other way round. */
EK_INLINE int32_t reversed(int32_t n, int32_t size)
{
    int32_t back = 0;
    for (; size > 1; size /= 4, n /= 4)
        back = 4 * back + n % 4;
    return back;
}

/* Rows of `left` neighbours, `done` of them, to blocks of `done` results: bits that float loads and
 * shuffles move. */
static void gather(const int32_t *from, int32_t *to, int32_t done, int32_t left)
{
    for (int32_t n = 0; n < left; n += 4)
        for (int32_t j = 0; j < done; j += EK_LANES) {
            ek_f32 rows[4];
            ek_load_columns((const float *)(const void *)(from + j * left + n), (size_t)left, rows);
            for (int q = 0; q < 4; q++)
                ek_h_store(to + reversed(n + q, left) * done + j, ek_bits(rows[q]));
        }
}

/* Stages of four: while there are many neighbours, lanes run over them and share a turn, then over
 * the results. Returns `a` or `b`, where the transform is. */
static int32_t *transform(const ek_micro_plan *plan, int32_t *a, int32_t *b)
{
    const int32_t size = plan->fft_samples / 2, *turns = ek_micro_table(plan, plan->turns);
    const int odd = __builtin_ctz((unsigned)size) % 2 == 1;
    int32_t done = odd ? 2 : 1, left = odd ? size / 2 : size, *from = odd ? b : a, *to = odd ? a : b;
    if (odd)
        twos(a, b, left);
    for (; left >= 64; turns += 6 * done, done *= 4) {
        left /= 4;
        for (int32_t j = 0; j < done; j++) {
            ek_i32 w[6];
            for (int i = 0; i < 6; i++)
                w[i] = ek_h_splat(turns[i * done + j]);
            even_fours(from + 4 * j * left, to + j * left, done * left, left, w);
        }
        int32_t *const written = to;
        to = from;
        from = written;
    }
    gather(from, to, done, left);
    for (; left > 1; left /= 4, turns += 6 * done, done *= 4)
        for (int32_t block = 0; block < size; block += 4 * done)
            turned_fours(to + block, done, turns);
    return to;
}

/* Windowed samples at full scale, even ones real, odd ones imaginary; by how many bits they grew. */
static int load(const ek_micro_plan *plan, const int16_t *restrict samples, int16_t *restrict out)
{
    const int32_t count = plan->config.window_samples;
    const int16_t *restrict window = ek_micro_table(plan, plan->window);
    int16_t most = 0;
    for (int32_t i = 0; i < count; i++) {
        const int16_t value = (int16_t)((samples[i] * window[i]) >> EK_MICRO_WINDOW_BITS);
        const int16_t size = (int16_t)(value < 0 ? -value : value); /* of -32768: itself */
        out[i] = value;
        most = size > most ? size : most;
    }
    const int shift = most == 0 ? 15 : __builtin_clz((unsigned)most) - 17;
    for (int32_t i = 0; i < count; i++)
        out[i] = (int16_t)((uint16_t)out[i] << shift);
    memset(out + count, 0, (size_t)(plan->fft_samples - count) * sizeof *out);
    return shift;
}

/* Energies of bins k and half - k from k on, of elements k on and, in the same order, half - k. */
EK_INLINE void energies_at(ek_i32 a, ek_i32 b, const int32_t *split, int32_t stride, ek_i32 *low,
                           ek_i32 *high)
{
    const ek_i32 x = ek_h_scale(a, 16383);
    const ek_i32 y = ek_h_scale(ek_h_pair(b, -ek_h_high(b)), 16383);
    const ek_i32 e = ek_h_add(x, y), d = ek_h_sub(x, y);
    const ek_i32 t = turned(d, ek_h_load(split), ek_h_load(split + stride));
    const ek_i32 er = ek_h_low(e), ei = ek_h_high(e), tr = ek_h_low(t), ti = ek_h_high(t);
    const ek_i32 l = ek_h_pair((er + tr) >> 1, (ei + ti) >> 1);
    const ek_i32 h = ek_h_pair((er - tr) >> 1, (ti - ei) >> 1);
    *low = ek_h_dot(l, l);
    *high = ek_h_dot(h, h);
}

/* Energies of the bins from 1 on, from the transform of even and odd samples. */
static void energies(const ek_micro_plan *plan, const int32_t *z, int32_t *out)
{
    const int32_t half = plan->fft_samples / 2, quarter = half / 2;
    const int32_t *split = ek_micro_table(plan, plan->split);
    const int32_t stride = ek_micro_split_stride(plan->fft_samples);
    for (int32_t k = 1; k <= quarter; k += EK_LANES) {
        const int32_t mirror = half - k - (EK_LANES - 1);
        ek_i32 low, high;
        energies_at(ek_h_load(z + k), EK_REVERSED(ek_h_load(z + mirror)), split + k, stride, &low,
                    &high);
        ek_h_store(out + k, low);
        ek_h_store(out + mirror, EK_REVERSED(high));
    }
}

/* The nearest whole number to a square root; below 2^32 at most 65535. */
static uint32_t root(uint64_t value)
{
    const uint64_t most = value >> 32 ? UINT32_MAX : UINT16_MAX;
    uint64_t r = (uint64_t)__builtin_sqrt((double)value);
    r = r > most ? most : r;
    while (r * r > value)
        r--;
    while (r < most && (r + 1) * (r + 1) <= value)
        r++;
    return (uint32_t)(value - r * r > r && r != most ? r + 1 : r);
}

/* Each bin counts for the channel whose centre is below it, and for the one whose centre is above. In
 * whole numbers of 64 bits, which wrap. */
static void wrapping_channels(const ek_micro_plan *plan, const int32_t *energy, uint32_t *out)
{
    const ek_micro_segment *segments = ek_micro_table(plan, plan->segments);
    const double *weights = ek_micro_table(plan, plan->weights);
    uint64_t carried = 0;
    for (int32_t c = 0; c <= plan->config.channels; c++) {
        uint64_t falling = carried, rising = 0;
        for (int32_t i = 0; i < segments[c].count; i++) {
            const uint64_t bin = (uint64_t)(int64_t)energy[segments[c].first + i];
            falling += (uint64_t)(int64_t)*weights++ * bin;
            rising += (uint64_t)(int64_t)*weights++ * bin;
        }
        if (c > 0)
            out[c - 1] = root(falling);
        carried = rising;
    }
}

/* The nearest whole numbers to the square roots of whole numbers up to 2^50. None lies so near to the
 * middle of two that its double does. */
static void roots(const double *restrict values, int32_t count, uint32_t *restrict out)
{
    const double to_whole = 4503599627370496.0; /* 2^52: doubles from there on have no fraction */
    for (int32_t i = 0; i < count; i++) {
        const double near = (__builtin_sqrt(values[i]) + to_whole) - to_whole;
        const double most = values[i] < 4294967296.0 ? 65535.0 : 4294967296.0;
        out[i] = (uint32_t)(int32_t)(near < most ? near : most);
    }
}

/* The same in doubles, which hold such sums exactly. */
static void exact_channels(const ek_micro_plan *plan, const double *energy, uint32_t *out)
{
    typedef double pair __attribute__((vector_size(16)));
    const ek_micro_segment *segments = ek_micro_table(plan, plan->segments);
    const double *weights = ek_micro_table(plan, plan->weights);
    double values[EK_MICRO_MAX_CHANNELS], open = 0.0;
    const int32_t channels = plan->config.channels;
    for (int32_t c = 0; c <= channels; c++) {
        const double *bins = energy + segments[c].first;
        pair sums = {0.0, 0.0};
        for (int32_t i = 0; i < segments[c].count; i++, weights += 2) {
            pair w;
            memcpy(&w, weights, sizeof w);
            sums = sums + w * bins[i];
        }
        if (c > 0)
            values[c - 1] = open + sums[0];
        open = sums[1];
    }
    roots(values, channels, out);
}

/* Energies from `first` to `end` as doubles; whether one of them has wrapped. */
static int widened(const int32_t *restrict energy, int32_t first, int32_t end, double *restrict out)
{
    int32_t signs = 0;
    for (int32_t i = first; i < end; i++) {
        signs |= energy[i];
        out[i] = energy[i];
    }
    return signs < 0;
}

void EK_NAME(ek_micro_spectrum)(const ek_micro_plan *plan, const int16_t *samples,
                                uint32_t *channels, int32_t *scratch)
{
    const int32_t padded = plan->fft_samples / 2 + 32;
    int32_t *a = scratch, *b = scratch + padded, *energy = b + padded;
    double *wide = (double *)(void *)scratch; /* over the transform, by then read */
    const int shift = load(plan, samples, (int16_t *)(void *)a);
    energies(plan, transform(plan, a, b), energy);
    if (widened(energy, plan->first_bin, plan->end_bin, wide) || plan->broad)
        wrapping_channels(plan, energy, channels);
    else
        exact_channels(plan, wide, channels);
    for (int32_t c = 0; c < plan->config.channels; c++)
        channels[c] >>= shift;
}
