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

#ifndef EK_LANES
#error "compile with -DEK_LANES=1, 4, 8 or 16"
#endif
#if FLT_EVAL_METHOD != 0
#error "excess precision changes bits: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif

#define EK_JOIN_(a, b) a##_##b
#define EK_JOIN(a, b) EK_JOIN_(a, b)
#define EK_NAME(name) EK_JOIN(name, EK_ISA)
#define EK_INLINE static inline __attribute__((always_inline))

#if EK_LANES == 1
typedef float ek_f32;
typedef int32_t ek_i32;

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

/* The larger one; v when it is NaN. */
EK_INLINE ek_f32 ek_at_least(ek_f32 v, ek_f32 floor)
{
    return ek_select(ek_less(v, floor), floor, v);
}

/* Lane l is start[l][i]. */
EK_INLINE ek_f32 ek_gather(const float *const *start, int32_t i)
{
    float lanes[EK_LANES];
    ek_f32 v;
    for (int l = 0; l < EK_LANES; l++)
        lanes[l] = start[l][i];
    memcpy(&v, lanes, sizeof v);
    return v;
}

#endif
