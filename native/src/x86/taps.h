/* Bytes and pixels times weights, in pairs: one multiply-add of 16-bit numbers takes two taps. */
#ifndef EK_X86_TAPS_H
#define EK_X86_TAPS_H

#include <immintrin.h>

#include "../image_plan.h"
#include "../vector.h"

enum { EK_BYTES = 2 * EK_LANES };

#if EK_LANES == 16 && defined(__AVX512BW__)
typedef __m512i ek_sums;
#define EK_OP(name) _mm512_##name
#define EK_ZERO _mm512_setzero_si512()
#define EK_WIDEN(from) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(from)))
#define EK_LOAD(from) _mm512_loadu_si512(from)
#define EK_STORE(to, v) _mm512_storeu_si512(to, v)
#elif EK_LANES == 8 && defined(__AVX2__)
typedef __m256i ek_sums;
#define EK_OP(name) _mm256_##name
#define EK_ZERO _mm256_setzero_si256()
#define EK_WIDEN(from) _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(from)))
#define EK_LOAD(from) _mm256_loadu_si256((const void *)(from))
#define EK_STORE(to, v) _mm256_storeu_si256((void *)(to), v)
#else
#undef EK_BYTES
#define EK_BYTES 8
typedef __m128i ek_sums;
#define EK_OP(name) _mm_##name
#define EK_ZERO _mm_setzero_si128()
#define EK_WIDEN(from)                                                                             \
    _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)(from)), _mm_setzero_si128())
#define EK_LOAD(from) _mm_loadu_si128((const void *)(from))
#define EK_STORE(to, v) _mm_storeu_si128((void *)(to), v)
#endif

/* In every 16 bytes of a register: sums of the lower four of eight bytes, and of the upper four. */
typedef struct {
    ek_sums low;
    ek_sums high;
} ek_byte_sums;

EK_INLINE ek_byte_sums ek_no_byte_sums(void) { return (ek_byte_sums){EK_ZERO, EK_ZERO}; }

EK_INLINE ek_byte_sums ek_load_byte_sums(const int32_t *from)
{
    return (ek_byte_sums){EK_LOAD(from), EK_LOAD(from + EK_BYTES / 2)};
}

EK_INLINE void ek_store_byte_sums(int32_t *to, ek_byte_sums sums)
{
    EK_STORE(to, sums.low);
    EK_STORE(to + EK_BYTES / 2, sums.high);
}

EK_INLINE ek_byte_sums ek_add_bytes(ek_byte_sums sums, const uint8_t *row, const uint8_t *next,
                                    int16_t weight, int16_t other)
{
    const ek_sums a = EK_WIDEN(row), b = EK_WIDEN(next);
    const ek_sums weights = EK_OP(set1_epi32)((int32_t)((uint32_t)(uint16_t)weight |
                                                        (uint32_t)(uint16_t)other << 16));
    const ek_sums low = EK_OP(madd_epi16)(EK_OP(unpacklo_epi16)(a, b), weights);
    const ek_sums high = EK_OP(madd_epi16)(EK_OP(unpackhi_epi16)(a, b), weights);
    return (ek_byte_sums){EK_OP(add_epi32)(sums.low, low), EK_OP(add_epi32)(sums.high, high)};
}

/* Packing puts back in order what unpacking took apart. */
EK_INLINE void ek_put_levels(ek_byte_sums sums, int16_t *out)
{
    const int shift = EK_FILTER_BITS - EK_LEVEL_BITS;
    const ek_sums half = EK_OP(set1_epi32)(1 << (shift - 1));
    const ek_sums low = EK_OP(srai_epi32)(EK_OP(add_epi32)(sums.low, half), shift);
    const ek_sums high = EK_OP(srai_epi32)(EK_OP(add_epi32)(sums.high, half), shift);
    EK_STORE(out, EK_OP(packs_epi32)(low, high));
}

/* Pixels of three or four numbers, side by side, become pairs: in every 16 bytes the two reds, greens
 * and blues of two pixels, and what does not matter. EK_PAIRED pixels at a time. */
#define EK_HAVE_PAIRS

#if EK_LANES == 16 && defined(__AVX512BW__)
enum { EK_PAIRED = 8, EK_TAPS_AT_ONCE = 8 };
typedef __m512i ek_pixel_sums; /* in each quarter red, green, blue, nothing */

EK_INLINE void ek_spread(const int16_t *pixels, int32_t pixel, int16_t *pairs)
{
    static const int16_t order[2][32] = {
        {0,  3,  1,  4,  2,  5,  0, 0, 6,  9,  7,  10, 8,  11, 0, 0,
         12, 15, 13, 16, 14, 17, 0, 0, 18, 21, 19, 22, 20, 23, 0, 0},
        {0,  4,  1,  5,  2,  6,  0, 0, 8,  12, 9,  13, 10, 14, 0, 0,
         16, 20, 17, 21, 18, 22, 0, 0, 24, 28, 25, 29, 26, 30, 0, 0}};
    const __m512i places = _mm512_loadu_si512(order[pixel == 4]);
    _mm512_storeu_si512(pairs, _mm512_permutexvar_epi16(places, _mm512_loadu_si512(pixels)));
}

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return _mm512_setzero_si512(); }

EK_INLINE ek_pixel_sums ek_add_pairs(ek_pixel_sums sums, const int16_t *pairs, const int16_t *weights)
{
    const __m512i each = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const void *)weights));
    const __m512i w = _mm512_permutexvar_epi32(each, four);
    return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_loadu_si512(pairs), w));
}

#define EK_HAVE_SIXTEEN

/* The quarters of four columns, added up: a column in each quarter. */
EK_INLINE ek_pixel_sums ek_four_sums(const ek_pixel_sums *v)
{
    const __m512i ab = _mm512_add_epi32(_mm512_shuffle_i64x2(v[0], v[1], 0x44),
                                        _mm512_shuffle_i64x2(v[0], v[1], 0xee));
    const __m512i cd = _mm512_add_epi32(_mm512_shuffle_i64x2(v[2], v[3], 0x44),
                                        _mm512_shuffle_i64x2(v[2], v[3], 0xee));
    return _mm512_add_epi32(_mm512_shuffle_i64x2(ab, cd, 0x88),
                            _mm512_shuffle_i64x2(ab, cd, 0xdd));
}

/* One channel of sixteen columns. */
EK_INLINE ek_f32 ek_channel(const ek_pixel_sums *four, int32_t channel)
{
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
    const __m512i places = _mm512_add_epi32(lanes, _mm512_set1_epi32(channel));
    const __m512i low = _mm512_permutex2var_epi32(four[0], places, four[1]);
    const __m512i high = _mm512_permutex2var_epi32(four[2], places, four[3]);
    return ek_from_int((ek_i32)_mm512_inserti64x4(low, _mm512_castsi512_si256(high), 1));
}
#elif defined(__AVX2__)
enum { EK_PAIRED = 4, EK_TAPS_AT_ONCE = 4 };
typedef __m256i ek_pixel_sums; /* in each half red, green, blue, nothing */

EK_INLINE void ek_spread(const int16_t *pixels, int32_t pixel, int16_t *pairs)
{
    const __m128i of_3 = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    const __m128i of_4 = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, -1, -1, -1, -1);
    const __m256i order = _mm256_broadcastsi128_si256(pixel == 3 ? of_3 : of_4);
    const __m128i first = _mm_loadu_si128((const void *)pixels);
    const __m128i second = _mm_loadu_si128((const void *)(pixels + 2 * pixel));
    _mm256_storeu_si256((void *)pairs,
                        _mm256_shuffle_epi8(_mm256_set_m128i(second, first), order));
}

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return _mm256_setzero_si256(); }

EK_INLINE ek_pixel_sums ek_add_pairs(ek_pixel_sums sums, const int16_t *pairs, const int16_t *weights)
{
    const __m256i both = _mm256_castsi128_si256(_mm_loadl_epi64((const void *)weights));
    const __m256i each = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i w = _mm256_permutevar8x32_epi32(both, each);
    const __m256i p = _mm256_loadu_si256((const void *)pairs);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(p, w));
}

/* The halves of four columns, added up. */
EK_INLINE void ek_put_four_sums(const ek_pixel_sums *v, int32_t (*out)[4])
{
    for (int i = 0; i < 4; i += 2) {
        const __m256i low = _mm256_permute2x128_si256(v[i], v[i + 1], 0x20);
        const __m256i high = _mm256_permute2x128_si256(v[i], v[i + 1], 0x31);
        _mm256_storeu_si256((void *)out[i], _mm256_add_epi32(low, high));
    }
}
#else
enum { EK_PAIRED = 2, EK_TAPS_AT_ONCE = 2 };
typedef __m128i ek_pixel_sums; /* red, green, blue, nothing */

EK_INLINE void ek_spread(const int16_t *pixels, int32_t pixel, int16_t *pairs)
{
    const __m128i first = _mm_loadl_epi64((const void *)pixels);
    const __m128i second = _mm_loadl_epi64((const void *)(pixels + pixel));
    _mm_storeu_si128((void *)pairs, _mm_unpacklo_epi16(first, second));
}

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return _mm_setzero_si128(); }

EK_INLINE ek_pixel_sums ek_add_pairs(ek_pixel_sums sums, const int16_t *pairs, const int16_t *weights)
{
    int32_t both;
    memcpy(&both, weights, sizeof both);
    const __m128i p = _mm_loadu_si128((const void *)pairs);
    return _mm_add_epi32(sums, _mm_madd_epi16(p, _mm_set1_epi32(both)));
}

EK_INLINE void ek_put_four_sums(const ek_pixel_sums *v, int32_t (*out)[4])
{
    for (int i = 0; i < 4; i++)
        _mm_storeu_si128((void *)out[i], v[i]);
}
#endif

#endif
