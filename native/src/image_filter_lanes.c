/* Weighted sums of rows and of columns, and results in their types. Compiled once per instruction
 * set. */
#include "operations.h"
#include "vector.h"

#ifdef __aarch64__
#include <arm_neon.h>
#endif

#if EK_LANES == 1
EK_INLINE ek_f32 load_bytes(const uint8_t *from) { return (float)*from; }
#elif EK_LANES == 16 && defined(__AVX512F__)
EK_INLINE ek_f32 load_bytes(const uint8_t *from)
{
    return ek_from_int((ek_i32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)from)));
}
#elif EK_LANES == 8 && defined(__AVX2__)
EK_INLINE ek_f32 load_bytes(const uint8_t *from)
{
    return ek_from_int((ek_i32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)from)));
}
#elif EK_LANES == 4 && defined(__SSE2__)
EK_INLINE ek_f32 load_bytes(const uint8_t *from)
{
    int32_t four_bytes;
    memcpy(&four_bytes, from, sizeof four_bytes);
    const __m128i zero = _mm_setzero_si128(), bytes = _mm_cvtsi32_si128(four_bytes);
    return ek_from_int((ek_i32)_mm_unpacklo_epi16(_mm_unpacklo_epi8(bytes, zero), zero));
}
#elif EK_LANES == 4 && defined(__aarch64__)
EK_INLINE ek_f32 load_bytes(const uint8_t *from)
{
    uint32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
    return (ek_f32)vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
}
#else
typedef uint8_t ek_bytes_of_lanes __attribute__((vector_size(EK_LANES)));

EK_INLINE ek_f32 load_bytes(const uint8_t *from)
{
    ek_bytes_of_lanes v;
    memcpy(&v, from, sizeof v);
    return ek_from_int(__builtin_convertvector(v, ek_i32));
}
#endif

/* `vectors` vectors of the sums, in registers over all taps. */
EK_INLINE void sum_some(const ek_row_sum *s, int32_t at, int vectors, float *out)
{
    ek_f32 sums[4];
    EK_UNROLL for (int i = 0; i < 4; i++)
        if (i < vectors)
            sums[i] = s->more ? ek_load(out + at + i * EK_LANES) : ek_splat(0.0f);
    const uint8_t *row = s->row + at;
    for (int32_t t = 0; t < s->taps; t++, row += s->stride) {
        const ek_f32 weight = ek_splat(s->weight[t]);
        EK_UNROLL for (int i = 0; i < 4; i++)
            if (i < vectors)
                sums[i] = sums[i] + load_bytes(row + i * EK_LANES) * weight;
    }
    EK_UNROLL for (int i = 0; i < 4; i++)
        if (i < vectors)
            ek_store(out + at + i * EK_LANES, sums[i]);
}

EK_IMAGE_SUM_ROWS(EK_NAME(ek_image_sum_rows))
{
    int32_t at = 0;
    for (; at + 4 * EK_LANES <= sum->count; at += 4 * EK_LANES)
        sum_some(sum, at, 4, out);
    for (; at + EK_LANES <= sum->count; at += EK_LANES)
        sum_some(sum, at, 1, out);
    for (; at < sum->count; at++) {
        float v = sum->more ? out[at] : 0.0f;
        for (int32_t t = 0; t < sum->taps; t++)
            v = v + (float)sum->row[at + t * sum->stride] * sum->weight[t];
        out[at] = v;
    }
}

#if EK_LANES == 1
typedef struct {
    float at[4];
} four;

EK_INLINE four four_of_zero(void) { return (four){{0.0f, 0.0f, 0.0f, 0.0f}}; }

EK_INLINE four plus_weighted(four sum, const float *pixel, float weight)
{
    for (int i = 0; i < 4; i++)
        sum.at[i] = sum.at[i] + pixel[i] * weight;
    return sum;
}

EK_INLINE float of_four(four v, int i) { return v.at[i]; }

/* Lane c of column i to lane i of channel c. */
EK_INLINE void turn(const four *columns, four *channels)
{
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 4; c++)
            channels[c].at[i] = columns[i].at[c];
}

EK_INLINE void put_four(four v, float scale, float offset, float *out)
{
    for (int i = 0; i < 4; i++)
        out[i] = v.at[i] * scale + offset;
}
#else
typedef float four __attribute__((vector_size(16)));

EK_INLINE four four_of_zero(void) { return (four){0}; }

EK_INLINE four plus_weighted(four sum, const float *pixel, float weight)
{
    four v;
    memcpy(&v, pixel, sizeof v);
    return sum + v * weight;
}

EK_INLINE float of_four(four v, int i) { return v[i]; }

/* Lane c of column i to lane i of channel c. */
EK_INLINE void turn(const four *v, four *channels)
{
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

EK_INLINE void put_column(const ek_column_sum *s, four v, int32_t x, float *const *out)
{
    for (int c = 0; c < 3; c++)
        out[c][x] = of_four(v, s->source[c]) * s->scale[c] + s->offset[c];
}

/* The four lanes are a pixel's channels; what lies behind them is multiplied and dropped. Four
 * columns at a time hide the latency of the sums. */
EK_IMAGE_SUM_COLUMNS(EK_NAME(ek_image_sum_columns))
{
    const ek_column_sum *s = sum;
    int32_t x = 0;
    for (; x + 4 <= s->width; x += 4) {
        four sums[4];
        const float *pixels[4], *weights = s->weight + (ptrdiff_t)x * s->most_taps;
        int32_t most = 0;
        for (int i = 0; i < 4; i++) {
            sums[i] = four_of_zero();
            pixels[i] = s->row + (ptrdiff_t)s->first[x + i] * s->pixel;
            most = s->taps[x + i] > most ? s->taps[x + i] : most;
        }
        for (int32_t t = 0; t < most; t++) /* weights beyond a column's taps are 0 */
            EK_UNROLL for (int i = 0; i < 4; i++)
                sums[i] = plus_weighted(sums[i], pixels[i] + (ptrdiff_t)t * s->pixel,
                                        weights[i * s->most_taps + t]);
        four channels[4];
        turn(sums, channels);
        for (int c = 0; c < 3; c++)
            put_four(channels[s->source[c]], s->scale[c], s->offset[c], out[c] + x);
    }
    for (; x < s->width; x++) {
        four v = four_of_zero();
        for (int32_t t = 0; t < s->taps[x]; t++)
            v = plus_weighted(v, s->row + (ptrdiff_t)(s->first[x] + t) * s->pixel,
                              s->weight[(ptrdiff_t)x * s->most_taps + t]);
        put_column(s, v, x, out);
    }
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
