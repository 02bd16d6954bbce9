/* The seam for speed: EK_LANES floats at a time, the same operations in the same order in every
 * lane. A source that includes this is compiled once per instruction set, with EK_ISA (a suffix
 * for its names) and EK_LANES. One lane is plain scalar C. There is no fused multiply-add here on
 * purpose, and -ffp-contract=off keeps the compiler from making one: every width gives the same bits.
 */
#ifndef EK_VECTOR_H
#define EK_VECTOR_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#ifndef EK_LANES
#error "compile with -DEK_LANES=1, 4, 8 or 16"
#endif
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16 /* 16 speaks of half floats */
#error "excess precision changes bits: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif

#define EK_JOIN_(a, b) a##_##b
#define EK_JOIN(a, b) EK_JOIN_(a, b)
#define EK_NAME(name) EK_JOIN(name, EK_ISA)
#define EK_INLINE static inline __attribute__((always_inline))
#define EK_STATIC static __attribute__((unused)) /* in a header, not used by all who include it */

/* Before a loop over a few vectors, which must all stay in registers. */
#define EK_UNROLL _Pragma("GCC unroll 16")

#if EK_LANES == 1
typedef float ek_f32;
typedef int32_t ek_i32;
typedef uint32_t ek_u32;

EK_INLINE ek_f32 ek_splat(float x) { return x; }
EK_INLINE float ek_lane(ek_f32 v, int lane) { return (void)lane, v; }
EK_INLINE ek_f32 ek_from_int(ek_i32 v) { return (float)v; }
EK_INLINE ek_i32 ek_less(ek_f32 a, ek_f32 b) { return -(a < b); }
EK_INLINE ek_i32 ek_is_nan(ek_f32 v) { return -(v != v); }

EK_INLINE ek_i32 ek_bits(ek_f32 v)
{
    ek_i32 bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

EK_INLINE ek_f32 ek_from_bits(ek_i32 bits)
{
    ek_f32 v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
#else
typedef float ek_f32 __attribute__((vector_size(4 * EK_LANES)));
typedef int32_t ek_i32 __attribute__((vector_size(4 * EK_LANES)));
typedef uint32_t ek_u32 __attribute__((vector_size(4 * EK_LANES)));
typedef int16_t ek_i16 __attribute__((vector_size(2 * EK_LANES)));

EK_INLINE ek_f32 ek_splat(float x) { return x - (ek_f32){0}; } /* - keeps the sign of zero */
EK_INLINE float ek_lane(ek_f32 v, int lane) { return v[lane]; }
EK_INLINE ek_f32 ek_from_int(ek_i32 v) { return __builtin_convertvector(v, ek_f32); }
EK_INLINE ek_i32 ek_less(ek_f32 a, ek_f32 b) { return a < b; }
EK_INLINE ek_i32 ek_is_nan(ek_f32 v) { return v != v; }
EK_INLINE ek_i32 ek_bits(ek_f32 v) { return (ek_i32)v; }
EK_INLINE ek_f32 ek_from_bits(ek_i32 bits) { return (ek_f32)bits; }
#endif

/* Bits of `yes` where the mask is -1, of `no` where it is 0. */
EK_INLINE ek_f32 ek_select(ek_i32 mask, ek_f32 yes, ek_f32 no)
{
    return ek_from_bits((mask & ek_bits(yes)) | (~mask & ek_bits(no)));
}

/* `yes` where v is NaN, else `no`. */
EK_INLINE ek_f32 ek_if_nan(ek_f32 v, ek_f32 yes, ek_f32 no)
{
#if EK_LANES == 16 && defined(__AVX512F__)
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), no, yes);
#else
    return ek_select(ek_is_nan(v), yes, no);
#endif
}

/* The larger one; v when it is NaN. */
EK_INLINE ek_f32 ek_at_least(ek_f32 v, ek_f32 floor)
{
#if EK_LANES == 4 && defined(__SSE2__)
    return _mm_max_ps(floor, v);
#elif EK_LANES == 8 && defined(__AVX__)
    return _mm256_max_ps(floor, v);
#elif EK_LANES == 16 && defined(__AVX512F__)
    return _mm512_max_ps(floor, v);
#else
    return ek_select(ek_less(v, floor), floor, v);
#endif
}

EK_INLINE ek_f32 ek_load(const float *from)
{
    ek_f32 v;
    memcpy(&v, from, sizeof v);
    return v;
}

EK_INLINE void ek_store(float *to, ek_f32 v) { memcpy(to, &v, sizeof v); }

EK_INLINE ek_f32 ek_load_int16(const int16_t *from)
{
#if EK_LANES == 1
    return (float)*from;
#else
    ek_i16 v;
    memcpy(&v, from, sizeof v);
    return __builtin_convertvector(v, ek_f32);
#endif
}

#endif
