/* Weighted sums of rows and of columns, and results in their types. Compiled once per instruction
 * set. */
#include "operations.h"
#include "vector.h"

/* Whole numbers: vectors of bytes by 16-bit weights, pixels of four 16-bit numbers by weights. */
#if EK_LANES > 1 && defined(__SSE2__)
#include "x86/taps.h"
#elif EK_LANES > 1 && defined(__aarch64__)
#include "arm/taps.h"
#else
#include "taps.h"
#endif

enum { LEVEL_SHIFT = EK_FILTER_BITS - EK_LEVEL_BITS };

EK_INLINE int32_t one_sum(const ek_row_sum *s, int32_t at)
{
    int32_t sum = s->first ? 0 : s->sums[at];
    for (int32_t t = 0; t < s->taps; t++)
        sum += s->row[at + t * s->stride] * s->weight[t];
    return sum;
}

/* Rows in pairs; one that is left over goes with itself and the weight 0. */
EK_INLINE void sum_some(const ek_row_sum *s, int32_t at, int vectors, int16_t *out)
{
    ek_byte_sums sums[4];
    EK_UNROLL for (int i = 0; i < vectors; i++)
        sums[i] = s->first ? ek_no_byte_sums() : ek_load_byte_sums(s->sums + at + i * EK_BYTES);
    const uint8_t *row = s->row + at;
    for (int32_t t = 0; t < s->taps; t += 2, row += 2 * s->stride) {
        const int lone = t + 1 == s->taps;
        const uint8_t *next = lone ? row : row + s->stride;
        const int16_t weight = s->weight[t], other = lone ? 0 : s->weight[t + 1];
        EK_UNROLL for (int i = 0; i < vectors; i++)
            sums[i] = ek_add_bytes(sums[i], row + i * EK_BYTES, next + i * EK_BYTES, weight, other);
    }
    EK_UNROLL for (int i = 0; i < vectors; i++)
        if (s->last)
            ek_put_levels(sums[i], out + at + i * EK_BYTES);
        else
            ek_store_byte_sums(s->sums + at + i * EK_BYTES, sums[i]);
}

EK_IMAGE_SUM_ROWS(EK_NAME(ek_image_sum_rows))
{
    int32_t at = 0;
    for (; at + 4 * EK_BYTES <= sum->count; at += 4 * EK_BYTES)
        sum_some(sum, at, 4, out);
    for (; at + EK_BYTES <= sum->count; at += EK_BYTES)
        sum_some(sum, at, 1, out);
    for (; at < sum->count; at++)
        if (sum->last)
            out[at] = (int16_t)((one_sum(sum, at) + (1 << (LEVEL_SHIFT - 1))) >> LEVEL_SHIFT);
        else
            sum->sums[at] = one_sum(sum, at);
}

#ifdef EK_HAVE_SIXTEEN
/* Its columns need no turning. */
#elif EK_LANES == 1
typedef struct {
    float at[4];
} four;

/* Lane c of column i to lane i of channel c. */
EK_INLINE void turn(int32_t (*columns)[4], four *channels)
{
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 4; c++)
            channels[c].at[i] = (float)columns[i][c];
}

EK_INLINE void put_four(four v, float scale, float offset, float *out)
{
    for (int i = 0; i < 4; i++)
        out[i] = v.at[i] * scale + offset;
}
#else
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_whole __attribute__((vector_size(16)));

EK_INLINE void turn(int32_t (*columns)[4], four *channels)
{
    four v[4];
    for (int i = 0; i < 4; i++) {
        four_whole sums;
        memcpy(&sums, columns[i], sizeof sums);
        v[i] = __builtin_convertvector(sums, four);
    }
    const four low01 = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
    const four low23 = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    const four high01 = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
    const four high23 = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    channels[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    channels[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    channels[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    channels[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

EK_INLINE void put_four(four v, float scale, float offset, float *out)
{
    v = v * scale + offset;
    memcpy(out, &v, sizeof v);
}
#endif

#ifdef EK_HAVE_PAIRS
EK_INLINE void spread_row(const ek_column_sum *s)
{
    for (int32_t at = 0; at < s->pixels; at += EK_PAIRED)
        ek_spread(s->row + (ptrdiff_t)at * s->pixel, s->pixel, s->pairs + (ptrdiff_t)at * 4);
}

EK_INLINE const int16_t *pixels_of(const ek_column_sum *s, int32_t first)
{
    return s->pairs + (ptrdiff_t)first * 4;
}

EK_INLINE ek_pixel_sums add_taps(ek_pixel_sums sums, const ek_column_sum *s, const int16_t *pixels,
                                 const int16_t *weights, int32_t t)
{
    return (void)s, ek_add_pairs(sums, pixels + (ptrdiff_t)t * 4, weights + t);
}
#else
enum { EK_TAPS_AT_ONCE = EK_FILTER_GROUP };

EK_INLINE void spread_row(const ek_column_sum *s) { (void)s; }

EK_INLINE const int16_t *pixels_of(const ek_column_sum *s, int32_t first)
{
    return s->row + (ptrdiff_t)first * s->pixel;
}

EK_INLINE ek_pixel_sums add_taps(ek_pixel_sums sums, const ek_column_sum *s, const int16_t *pixels,
                                 const int16_t *weights, int32_t t)
{
    return ek_add_pixels(sums, pixels + (ptrdiff_t)t * s->pixel, s->pixel, weights + t);
}

EK_INLINE void ek_put_four_sums(const ek_pixel_sums *v, int32_t (*out)[4])
{
    for (int i = 0; i < 4; i++)
        ek_put_pixel_sums(v[i], out[i]);
}
#endif

/* Four columns, which hides the latency of each one's sum; all as far as the widest reaches. */
EK_INLINE void four_columns(const ek_column_sum *s, int32_t x, ek_pixel_sums *v)
{
    const int16_t *weights = s->weight + (ptrdiff_t)x * s->most_taps;
    const int16_t *pixels[4];
    EK_UNROLL for (int i = 0; i < 4; i++) {
        v[i] = ek_no_pixel_sums();
        pixels[i] = pixels_of(s, s->first[x + i]);
    }
    for (int32_t t = 0; t < s->widest; t += EK_TAPS_AT_ONCE)
        EK_UNROLL for (int i = 0; i < 4; i++)
            v[i] = add_taps(v[i], s, pixels[i], weights + (ptrdiff_t)i * s->most_taps, t);
}

#ifdef EK_HAVE_SIXTEEN
enum { COLUMNS_AT_ONCE = 16 };

EK_INLINE void some_columns(const ek_column_sum *s, int32_t x, float *const *out)
{
    ek_pixel_sums v[4], sums[4];
    EK_UNROLL for (int i = 0; i < 4; i++) {
        four_columns(s, x + 4 * i, v);
        sums[i] = ek_four_sums(v);
    }
    for (int c = 0; c < 3; c++)
        ek_store(out[c] + x, ek_channel(sums, s->source[c]) * s->scale[c] + s->offset[c]);
}
#else
enum { COLUMNS_AT_ONCE = 4 };

EK_INLINE void some_columns(const ek_column_sum *s, int32_t x, float *const *out)
{
    ek_pixel_sums v[4];
    int32_t sums[4][4];
    four channels[4];
    four_columns(s, x, v);
    ek_put_four_sums(v, sums);
    turn(sums, channels);
    for (int c = 0; c < 3; c++)
        put_four(channels[s->source[c]], s->scale[c], s->offset[c], out[c] + x);
}
#endif

EK_INLINE void one_column(const ek_column_sum *s, int32_t x, float *const *out)
{
    for (int c = 0; c < 3; c++) {
        int32_t sum = 0;
        for (int32_t t = 0; t < s->taps[x]; t++)
            sum += s->row[(ptrdiff_t)(s->first[x] + t) * s->pixel + s->source[c]] *
                   s->weight[(ptrdiff_t)x * s->most_taps + t];
        out[c][x] = (float)sum * s->scale[c] + s->offset[c];
    }
}

EK_IMAGE_SUM_COLUMNS(EK_NAME(ek_image_sum_columns))
{
    const ek_column_sum s = *sum; /* a copy, for what is stored might else change it */
    float *const to[3] = {out[0], out[1], out[2]};
    int32_t x = 0;
    spread_row(&s);
    for (; x + COLUMNS_AT_ONCE <= s.width; x += COLUMNS_AT_ONCE)
        some_columns(&s, x, to);
    for (; x < s.width; x++)
        one_column(&s, x, to);
}

/* To the nearest half float, ties to even; what is too large becomes infinite. */
EK_INLINE uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    float small;
    memcpy(&small, &magnitude, sizeof small);
    small += 0.5f; /* its last bits become those of a half that is not normal */
    uint32_t tiny;
    memcpy(&tiny, &small, sizeof tiny);
    const uint32_t normal = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
    const uint32_t large = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    const uint32_t half = magnitude >= 0x47800000   ? large
                          : magnitude < 0x38800000 ? tiny - 0x3f000000
                                                   : normal;
    return (uint16_t)(sign | half);
}

/* value / quantum + zero point in [low, high], rounded to even by adding 1.5 * 2^23. */
EK_INLINE int32_t whole_of(float value, const ek_emission *e, float low, float high)
{
    float v = value / e->quantum;
    v = v < low - e->zero_point ? low - e->zero_point : v;
    v = v > high - e->zero_point ? high - e->zero_point : v;
    const float rounded = v + 12582912.0f;
    return (int32_t)(rounded - 12582912.0f) + (int32_t)e->zero_point;
}

#define EK_EMIT(name, of, convert)                                                                 \
    EK_INLINE void name(const ek_emission *e, int plane, int32_t step)                             \
    {                                                                                              \
        const float *from = e->rows[plane];                                                        \
        of *to = (of *)e->out[e->layout == EK_HWC ? 0 : plane] + (e->layout == EK_HWC ? plane : 0); \
        for (int32_t x = 0; x < e->width; x++)                                                     \
            to[(ptrdiff_t)x * step] = (of)(convert);                                               \
    }

EK_EMIT(emit_float32, float, from[x])
EK_EMIT(emit_float16, uint16_t, half_of(from[x]))
EK_EMIT(emit_uint8, uint8_t, whole_of(from[x], e, 0.0f, 255.0f))
EK_EMIT(emit_int8, int8_t, whole_of(from[x], e, -128.0f, 127.0f))

EK_INLINE void emit_plane(const ek_emission *e, int plane, int32_t step)
{
    switch (e->type) {
    case EK_FLOAT16: emit_float16(e, plane, step); break;
    case EK_UINT8: emit_uint8(e, plane, step); break;
    case EK_INT8: emit_int8(e, plane, step); break;
    default: emit_float32(e, plane, step);
    }
}

/* A step that is known lets the compiler use all lanes. */
EK_IMAGE_EMIT(EK_NAME(ek_image_emit))
{
    for (int plane = 0; plane < emission->planes; plane++)
        if (emission->layout == EK_CHW || emission->planes == 1)
            emit_plane(emission, plane, 1);
        else
            emit_plane(emission, plane, 3);
}
