/* Rows of memory to lanes and back, four values at a time: 16-byte loads, and shuffles that stay
 * within 16 bytes, are cheap everywhere; gathers and scatters are not. */
#ifndef EK_TRANSPOSE_H
#define EK_TRANSPOSE_H

#include "vector.h"

#if EK_LANES > 1
typedef float ek_quad __attribute__((vector_size(16)));

/* Within each 16 bytes: lanes i and j of a, k and l of b (counted from EK_LANES). */
#if EK_LANES == 4
#define EK_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#elif EK_LANES == 8
#define EK_SHUFFLE(a, b, i, j, k, l)                                                               \
    __builtin_shufflevector(a, b, i, j, k, l, i + 4, j + 4, k + 4, l + 4)
#else
#define EK_SHUFFLE(a, b, i, j, k, l)                                                               \
    __builtin_shufflevector(a, b, i, j, k, l, i + 4, j + 4, k + 4, l + 4, i + 8, j + 8, k + 8,     \
                            l + 8, i + 12, j + 12, k + 12, l + 12)
#endif

EK_INLINE ek_quad ek_load_quad(const float *from)
{
    ek_quad v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* Sixteen bytes from each of EK_LANES / 4 places, `stride` floats apart. */
EK_INLINE ek_f32 ek_load_quads(const float *from, size_t stride)
{
#if EK_LANES == 4
    return (void)stride, ek_load_quad(from);
#elif EK_LANES == 8
    return __builtin_shufflevector(ek_load_quad(from), ek_load_quad(from + stride), 0, 1, 2, 3, 4,
                                   5, 6, 7);
#else
    typedef float ek_pair __attribute__((vector_size(32)));
    const ek_pair low = __builtin_shufflevector(ek_load_quad(from), ek_load_quad(from + stride), 0,
                                                1, 2, 3, 4, 5, 6, 7);
    const ek_pair high = __builtin_shufflevector(
        ek_load_quad(from + 2 * stride), ek_load_quad(from + 3 * stride), 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
}

/* Of the first, fifth, ... of `count` lanes, each sixteen bytes. */
EK_INLINE void ek_store_quads(float *to, size_t stride, ek_f32 v, size_t count)
{
    EK_UNROLL for (size_t part = 0; part < EK_LANES / 4; part++) if (4 * part < count)
        memcpy(to + part * stride, (const char *)&v + 16 * part, 16);
}

/* Each 16 bytes of the four rows hold a 4 x 4 matrix: transposed. */
EK_INLINE void ek_transpose_quads(ek_f32 *rows)
{
    const ek_f32 ab_low = EK_SHUFFLE(rows[0], rows[1], 0, EK_LANES, 1, EK_LANES + 1);
    const ek_f32 ab_high = EK_SHUFFLE(rows[0], rows[1], 2, EK_LANES + 2, 3, EK_LANES + 3);
    const ek_f32 cd_low = EK_SHUFFLE(rows[2], rows[3], 0, EK_LANES, 1, EK_LANES + 1);
    const ek_f32 cd_high = EK_SHUFFLE(rows[2], rows[3], 2, EK_LANES + 2, 3, EK_LANES + 3);
    rows[0] = EK_SHUFFLE(ab_low, cd_low, 0, 1, EK_LANES, EK_LANES + 1);
    rows[1] = EK_SHUFFLE(ab_low, cd_low, 2, 3, EK_LANES + 2, EK_LANES + 3);
    rows[2] = EK_SHUFFLE(ab_high, cd_high, 0, 1, EK_LANES, EK_LANES + 1);
    rows[3] = EK_SHUFFLE(ab_high, cd_high, 2, 3, EK_LANES + 2, EK_LANES + 3);
}
#endif

/* Lanes 0, 2, 4... and 1, 3, 5... of a and b together; the lanes of a from the last one on; those of
 * its lower and of its upper half, each twice. */
#if EK_LANES == 4
#define EK_EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define EK_ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define EK_REVERSED(a) __builtin_shufflevector(a, a, 3, 2, 1, 0)
#define EK_DELAYED(a) __builtin_shufflevector(a, a, 0, 0, 1, 2)
#define EK_TWICE_LOW(a) __builtin_shufflevector(a, a, 0, 0, 1, 1)
#define EK_TWICE_HIGH(a) __builtin_shufflevector(a, a, 2, 2, 3, 3)
#elif EK_LANES == 8
#define EK_EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define EK_ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define EK_REVERSED(a) __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0)
#define EK_DELAYED(a) __builtin_shufflevector(a, a, 0, 0, 1, 2, 3, 4, 5, 6)
#define EK_TWICE_LOW(a) __builtin_shufflevector(a, a, 0, 0, 1, 1, 2, 2, 3, 3)
#define EK_TWICE_HIGH(a) __builtin_shufflevector(a, a, 4, 4, 5, 5, 6, 6, 7, 7)
#elif EK_LANES == 1
#define EK_REVERSED(a) (a)
#endif

/* rows[i], lane l = from[l * stride + i], for i < 4. */
EK_INLINE void ek_load_columns(const float *from, size_t stride, ek_f32 *rows)
{
#if EK_LANES == 1
    (void)stride;
    memcpy(rows, from, 4 * sizeof *rows);
#else
    for (size_t l = 0; l < 4; l++)
        rows[l] = ek_load_quads(from + l * stride, 4 * stride);
    ek_transpose_quads(rows);
#endif
}

/* to[l * stride + i] = rows[i], lane l, for i < 4, of the first `count` lanes. Destroys the rows. */
EK_INLINE void ek_store_columns(float *to, size_t stride, ek_f32 *rows, size_t count)
{
#if EK_LANES == 1
    (void)stride, (void)count;
    memcpy(to, rows, 4 * sizeof *rows);
#else
    ek_transpose_quads(rows);
    EK_UNROLL for (size_t l = 0; l < 4; l++) if (l < count)
        ek_store_quads(to + l * stride, 4 * stride, rows[l], count - l);
#endif
}

/* Lane l + 1 moves to lane l; `next` comes in behind the last one. */
EK_INLINE ek_f32 ek_shift_in(ek_f32 v, const float *next)
{
#if EK_LANES == 1
    return (void)v, *next;
#elif EK_LANES == 4
    return __builtin_shufflevector(v, ek_splat(*next), 1, 2, 3, 4);
#elif EK_LANES == 8 && defined(__AVX2__)
    const __m256 turned = _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0));
    return _mm256_blend_ps(turned, ek_splat(*next), 0x80);
#elif EK_LANES == 8
    return __builtin_shufflevector(v, ek_splat(*next), 1, 2, 3, 4, 5, 6, 7, 8);
#else
    return __builtin_shufflevector(v, ek_splat(*next), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                   14, 15, 16);
#endif
}

/* Lane l = from[l * stride]. */
EK_INLINE ek_f32 ek_load_column(const float *from, size_t stride)
{
    float lanes[EK_LANES];
    for (size_t l = 0; l < EK_LANES; l++)
        lanes[l] = from[l * stride];
    return ek_load(lanes);
}

#endif
