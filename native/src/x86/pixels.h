/* Pixels of eight bytes each, EK_LANES at a time, and pairs of their bytes times weights. Eight
 * byte loads and one byte shuffle per plane beat gathers by a factor of 3 (measured on Zen 4). */
#ifndef EK_X86_PIXELS_H
#define EK_X86_PIXELS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "../image_plan.h"
#include "../vector.h"

/* Eight bytes at each of two places, in two rows: a place is looked up once for both. */
EK_INLINE void ek_two_pixels(const uint8_t *const *rows, const ptrdiff_t *at, __m128i *out)
{
    const ptrdiff_t first = at[0], second = at[1];
    for (int row = 0; row < 2; row++) {
        const __m128i low = _mm_loadl_epi64((const __m128i *)(const void *)(rows[row] + first));
        const __m128i high = _mm_loadl_epi64((const __m128i *)(const void *)(rows[row] + second));
        out[row] = _mm_unpacklo_epi64(low, high);
    }
}

#if defined(__AVX512BW__)
typedef __m512i ek_bytes;

EK_INLINE ek_bytes ek_repeat(const uint8_t *bytes16)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)bytes16));
}

/* Of two rows, pixels 0, 1 | 4, 5 | 8, 9 | 12, 13 from at[0..15]. */
EK_INLINE void ek_load_pixels(const uint8_t *const *rows, const ptrdiff_t *at, ek_bytes *out)
{
    __m128i a[2], b[2], c[2], d[2];
    ek_two_pixels(rows, at, a);
    ek_two_pixels(rows, at + 4, b);
    ek_two_pixels(rows, at + 8, c);
    ek_two_pixels(rows, at + 12, d);
    for (int i = 0; i < 2; i++)
        out[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(b[i], a[i])),
                                    _mm256_set_m128i(d[i], c[i]), 1);
}

/* In 16-byte lanes: eight bytes of low, eight bytes of high. */
EK_INLINE ek_bytes ek_pick(ek_bytes low, ek_bytes high, ek_bytes first, ek_bytes second)
{
    const __mmask64 upper = UINT64_C(0xff00ff00ff00ff00);
    return _mm512_mask_shuffle_epi8(_mm512_shuffle_epi8(low, first), upper, high, second);
}

EK_INLINE ek_i32 ek_weigh(ek_bytes pairs, const int32_t *weights)
{
    return (ek_i32)_mm512_madd_epi16(pairs, _mm512_loadu_si512(weights));
}

#ifdef __AVX512VBMI__
#define EK_HAVE_WINDOWS

/* Of EK_WINDOW_BYTES bytes those at 64 places. Permuting whole vectors takes half as long as
 * loading pixel by pixel. */
EK_INLINE ek_bytes ek_window(const uint8_t *from, const uint8_t *place)
{
    const ek_bytes places = _mm512_loadu_si512(place);
    const __mmask64 beyond = _mm512_movepi8_mask(places);
    const ek_bytes low = _mm512_loadu_si512(from), high = _mm512_loadu_si512(from + 64);
    const ek_bytes bytes = _mm512_permutex2var_epi8(low, places, high);
    if (!beyond)
        return bytes;
    return _mm512_mask_permutexvar_epi8(bytes, beyond, places, _mm512_loadu_si512(from + 128));
}

EK_INLINE void ek_fetch(const uint8_t *from) { _mm_prefetch((const char *)from, _MM_HINT_T0); }

/* Which bytes of two windows are the plane's, for ek_pick_plane. */
EK_INLINE ek_bytes ek_plane_places(int plane)
{
    const __m512i columns =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i near = _mm512_add_epi32(_mm512_slli_epi32(columns, 3), _mm512_set1_epi32(2 * plane));
    return _mm512_or_si512(near, _mm512_slli_epi32(_mm512_add_epi32(near, _mm512_set1_epi32(1)), 16));
}

/* The plane's near and far byte of 16 columns, widened to 16 bits. */
EK_INLINE ek_bytes ek_pick_plane(ek_bytes first, ek_bytes second, ek_bytes places)
{
    return _mm512_maskz_permutex2var_epi8(UINT64_C(0x5555555555555555), first, places, second);
}
#endif
#elif defined(__AVX2__)
typedef __m256i ek_bytes;

EK_INLINE ek_bytes ek_repeat(const uint8_t *bytes16)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes16));
}

/* Of two rows, pixels 0, 1 | 4, 5 from at[0..7]. */
EK_INLINE void ek_load_pixels(const uint8_t *const *rows, const ptrdiff_t *at, ek_bytes *out)
{
    __m128i a[2], b[2];
    ek_two_pixels(rows, at, a);
    ek_two_pixels(rows, at + 4, b);
    for (int i = 0; i < 2; i++)
        out[i] = _mm256_set_m128i(b[i], a[i]);
}

/* In 16-byte lanes: eight bytes of low, eight bytes of high. */
EK_INLINE ek_bytes ek_pick(ek_bytes low, ek_bytes high, ek_bytes first, ek_bytes second)
{
    return _mm256_or_si256(_mm256_shuffle_epi8(low, first), _mm256_shuffle_epi8(high, second));
}

EK_INLINE ek_i32 ek_weigh(ek_bytes pairs, const int32_t *weights)
{
    const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)weights);
    return (ek_i32)_mm256_madd_epi16(pairs, w);
}
#endif

#endif
