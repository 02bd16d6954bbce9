/* Eight doubles side by side, in as many registers as an instruction set needs for them. Sums over
 * time have one order whatever the registers: lanes are joined in pairs, fours, eights.
 */
#ifndef EK_WIDE_H
#define EK_WIDE_H

#include "vector.h"

#ifdef __aarch64__
#include <arm_neon.h>
#endif

enum { EK_WIDE = 8 };

#if EK_LANES == 1
#define EK_PART 1
typedef double ek_f64;
typedef int64_t ek_i64;
typedef float ek_narrow;
#else
#define EK_PART (EK_LANES / 2)
typedef double ek_f64 __attribute__((vector_size(8 * EK_PART)));
typedef int64_t ek_i64 __attribute__((vector_size(8 * EK_PART)));
typedef float ek_narrow __attribute__((vector_size(4 * EK_PART)));
#endif
#define EK_PARTS (EK_WIDE / EK_PART)
#define EK_EACH_PART EK_UNROLL for (int p = 0; p < EK_PARTS; p++)

typedef struct {
    ek_f64 part[EK_PARTS];
} ek_wide;

EK_INLINE ek_f64 ek_f64_splat(double x)
{
#if EK_LANES == 1
    return x;
#else
    return x - (ek_f64){0};
#endif
}

EK_INLINE double ek_f64_lane(ek_f64 v, int lane)
{
#if EK_LANES == 1
    return (void)lane, v;
#else
    return v[lane];
#endif
}

EK_INLINE ek_i64 ek_f64_less(ek_f64 a, ek_f64 b)
{
#if EK_LANES == 1
    return -(int64_t)(a < b);
#else
    return a < b;
#endif
}

#if EK_LANES == 1
EK_INLINE ek_f64 ek_f64_select(ek_i64 mask, ek_f64 yes, ek_f64 no) { return mask ? yes : no; }
#else
EK_INLINE ek_f64 ek_f64_select(ek_i64 mask, ek_f64 yes, ek_f64 no)
{
    ek_i64 y, n;
    memcpy(&y, &yes, sizeof y);
    memcpy(&n, &no, sizeof n);
    y = (mask & y) | (~mask & n);
    memcpy(&yes, &y, sizeof yes);
    return yes;
}
#endif

/* a < b ? a : b, and so b where one is NaN. */
EK_INLINE ek_f64 ek_f64_least(ek_f64 a, ek_f64 b)
{
#if EK_PART == 8 && defined(__AVX512F__)
    return _mm512_min_pd(a, b);
#elif EK_PART == 4 && defined(__AVX__)
    return _mm256_min_pd(a, b);
#elif EK_PART == 2 && defined(__SSE2__)
    return _mm_min_pd(a, b);
#else
    return ek_f64_select(ek_f64_less(a, b), a, b);
#endif
}

/* a > b ? a : b, and so b where one is NaN. */
EK_INLINE ek_f64 ek_f64_most(ek_f64 a, ek_f64 b)
{
#if EK_PART == 8 && defined(__AVX512F__)
    return _mm512_max_pd(a, b);
#elif EK_PART == 4 && defined(__AVX__)
    return _mm256_max_pd(a, b);
#elif EK_PART == 2 && defined(__SSE2__)
    return _mm_max_pd(a, b);
#else
    return ek_f64_select(ek_f64_less(b, a), a, b);
#endif
}

EK_INLINE ek_f64 ek_f64_sqrt(ek_f64 v)
{
#if EK_PART == 8 && defined(__AVX512F__)
    return _mm512_sqrt_pd(v);
#elif EK_PART == 4 && defined(__AVX__)
    return _mm256_sqrt_pd(v);
#elif EK_PART == 2 && defined(__SSE2__)
    return _mm_sqrt_pd(v);
#elif EK_PART == 2 && defined(__aarch64__)
    return (ek_f64)vsqrtq_f64((float64x2_t)v);
#elif EK_PART == 1
    return __builtin_sqrt(v);
#else
    for (int i = 0; i < EK_PART; i++)
        v[i] = __builtin_sqrt(v[i]);
    return v;
#endif
}

EK_INLINE ek_wide ek_wide_splat(double x)
{
    ek_wide v;
    EK_EACH_PART v.part[p] = ek_f64_splat(x);
    return v;
}

EK_INLINE ek_wide ek_wide_load(const double *from)
{
    ek_wide v;
    EK_EACH_PART memcpy(&v.part[p], from + p * EK_PART, sizeof v.part[p]);
    return v;
}

EK_INLINE void ek_wide_store(double *to, ek_wide v)
{
    EK_EACH_PART memcpy(to + p * EK_PART, &v.part[p], sizeof v.part[p]);
}

EK_INLINE ek_wide ek_wide_load_narrow(const float *from)
{
    ek_wide v;
    EK_EACH_PART
    {
        ek_narrow n;
        memcpy(&n, from + p * EK_PART, sizeof n);
#if EK_LANES == 1
        v.part[p] = n;
#else
        v.part[p] = __builtin_convertvector(n, ek_f64);
#endif
    }
    return v;
}

EK_INLINE void ek_wide_store_narrow(float *to, ek_wide v)
{
    EK_EACH_PART
    {
#if EK_LANES == 1
        const ek_narrow n = (float)v.part[p];
#else
        const ek_narrow n = __builtin_convertvector(v.part[p], ek_narrow);
#endif
        memcpy(to + p * EK_PART, &n, sizeof n);
    }
}

#define EK_WIDE_BINARY(name, expression)                                                           \
    EK_INLINE ek_wide name(ek_wide a, ek_wide b)                                                   \
    {                                                                                              \
        EK_EACH_PART a.part[p] = expression;                                                       \
        return a;                                                                                  \
    }

EK_WIDE_BINARY(ek_wide_add, a.part[p] + b.part[p])
EK_WIDE_BINARY(ek_wide_sub, a.part[p] - b.part[p])
EK_WIDE_BINARY(ek_wide_mul, a.part[p] * b.part[p])
EK_WIDE_BINARY(ek_wide_div, a.part[p] / b.part[p])
EK_WIDE_BINARY(ek_wide_least, ek_f64_least(a.part[p], b.part[p]))
EK_WIDE_BINARY(ek_wide_most, ek_f64_most(a.part[p], b.part[p]))
/* a where b > 0, else +0 */
EK_WIDE_BINARY(ek_wide_if_above_zero, ek_f64_select(ek_f64_less(ek_f64_splat(0.0), b.part[p]),
                                                    a.part[p], ek_f64_splat(0.0)))

EK_INLINE ek_wide ek_wide_sqrt(ek_wide v)
{
    EK_EACH_PART v.part[p] = ek_f64_sqrt(v.part[p]);
    return v;
}

/* a < b ? yes : no */
EK_INLINE ek_wide ek_wide_where_less(ek_wide a, ek_wide b, ek_wide yes, ek_wide no)
{
    EK_EACH_PART yes.part[p] =
        ek_f64_select(ek_f64_less(a.part[p], b.part[p]), yes.part[p], no.part[p]);
    return yes;
}

EK_INLINE double ek_wide_first(ek_wide v) { return ek_f64_lane(v.part[0], 0); }
EK_INLINE double ek_wide_last(ek_wide v) { return ek_f64_lane(v.part[EK_PARTS - 1], EK_PART - 1); }

/* How two runs of lanes are joined. */
enum ek_join { EK_SUM, EK_LEAST, EK_MOST };

EK_INLINE ek_f64 ek_joined(enum ek_join join, ek_f64 a, ek_f64 b)
{
    return join == EK_SUM ? a + b : join == EK_LEAST ? ek_f64_least(a, b) : ek_f64_most(a, b);
}

/* What changes nothing when joined: -0, not 0, which would lose the sign of a zero. */
EK_INLINE ek_f64 ek_nothing(enum ek_join join)
{
    return ek_f64_splat(join == EK_SUM ? -0.0 : join == EK_LEAST ? __builtin_inf() : -__builtin_inf());
}

#if EK_LANES > 1
/* In every run of 2 * half lanes: for its upper half the last lane of the lower one (upwards), or
 * for its lower half the first lane of the upper one; fill elsewhere. */
EK_INLINE ek_f64 ek_neighbour(ek_f64 v, ek_f64 fill, int half, int down)
{
#if EK_PART == 2
    (void)half;
    return down ? __builtin_shufflevector(v, fill, 1, 2) : __builtin_shufflevector(v, fill, 2, 0);
#elif EK_PART == 4
    if (half == 1)
        return down ? __builtin_shufflevector(v, fill, 1, 4, 3, 4)
                    : __builtin_shufflevector(v, fill, 4, 0, 4, 2);
    return down ? __builtin_shufflevector(v, fill, 2, 2, 4, 4)
                : __builtin_shufflevector(v, fill, 4, 4, 1, 1);
#else
    if (half == 1)
        return down ? __builtin_shufflevector(v, fill, 1, 8, 3, 8, 5, 8, 7, 8)
                    : __builtin_shufflevector(v, fill, 8, 0, 8, 2, 8, 4, 8, 6);
    if (half == 2)
        return down ? __builtin_shufflevector(v, fill, 2, 2, 8, 8, 6, 6, 8, 8)
                    : __builtin_shufflevector(v, fill, 8, 8, 1, 1, 8, 8, 5, 5);
    return down ? __builtin_shufflevector(v, fill, 4, 4, 4, 4, 8, 8, 8, 8)
                : __builtin_shufflevector(v, fill, 8, 8, 8, 8, 3, 3, 3, 3);
#endif
}
#else
EK_INLINE ek_f64 ek_neighbour(ek_f64 v, ek_f64 fill, int half, int down)
{
    return (void)fill, (void)half, (void)down, v;
}
#endif

/* weights[0..2]: of what joins a lane from the other half, when runs of 2, 4, 8 are made; NULL for 1. */
EK_INLINE ek_wide ek_scan_step(ek_wide v, enum ek_join join, int half, int down,
                               const double (*weights)[EK_WIDE])
{
    const int step = half == 1 ? 0 : half == 2 ? 1 : 2;
    ek_wide from = v;
    EK_EACH_PART
    {
        const int at = p * EK_PART, run = at & ~(2 * half - 1);
        if (half >= EK_PART && ((at & half) == 0) != down)
            continue;
        from.part[p] = half < EK_PART ? ek_neighbour(v.part[p], ek_nothing(join), half, down)
                       : down         ? ek_f64_splat(ek_f64_lane(v.part[(run + half) / EK_PART], 0))
                                      : ek_f64_splat(ek_f64_lane(
                                            v.part[(run + half - EK_PART) / EK_PART], EK_PART - 1));
        if (weights) {
            ek_f64 w;
            memcpy(&w, weights[step] + at, sizeof w);
            from.part[p] *= w;
        }
        from.part[p] = ek_joined(join, from.part[p], v.part[p]);
    }
    return from;
}

/* Each lane joined with all before it, or with all behind it (down). */
EK_INLINE ek_wide ek_scan(ek_wide v, enum ek_join join, int down, const double (*weights)[EK_WIDE])
{
    v = ek_scan_step(v, join, 1, down, weights);
    v = ek_scan_step(v, join, 2, down, weights);
    return ek_scan_step(v, join, 4, down, weights);
}

#endif
