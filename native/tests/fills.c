/* Input of every kind, from one word of the source: edges matter more than noise. */
#include <float.h>
#include <math.h>

#include "operation.h"

enum { NOISE, EDGES, SOME_EDGES, ANY_BITS, KINDS };

static const double edges[] = {0.0, -0.0, 1.0, -1.0, 32767.0, -32768.0, 1e-45, -1e-40, FLT_MIN,
                               FLT_MAX, -FLT_MAX, 1e19, NAN, INFINITY, -INFINITY, 4.9e-324,
                               2.2e-308, 1e-160, 1e160, DBL_MAX, -DBL_MAX};

static double value(uint64_t *state, int kind)
{
    const uint32_t drawn = next_random(state);
    if (kind == EDGES || (kind == SOME_EDGES && drawn % 61 == 0))
        return edges[next_random(state) % COUNT(edges)];
    return (double)next_float(state) * (kind == SOME_EDGES ? 1.0 : 30000.0);
}

static uint64_t seeded(source *from, int *kind)
{
    const uint32_t drawn = draw(from);
    *kind = (int)(drawn % KINDS);
    return (uint64_t)drawn + 1;
}

void fill_bytes(source *from, void *input, size_t bytes)
{
    int kind;
    uint64_t state = seeded(from, &kind);
    for (size_t i = 0; i < bytes; i++) {
        const uint32_t drawn = next_random(&state);
        const uint8_t edge = drawn % 2 ? 255 : 0;
        ((uint8_t *)input)[i] = kind == EDGES ? edge : (uint8_t)(drawn >> 24);
    }
}

void fill_floats(source *from, void *input, size_t bytes)
{
    int kind;
    uint64_t state = seeded(from, &kind);
    for (size_t i = 0; i < bytes / 4; i++) {
        const uint32_t any = next_random(&state);
        const double x = value(&state, kind);
        const float narrow = fabs(x) > (double)FLT_MAX ? (x > 0 ? INFINITY : -INFINITY) : (float)x;
        memcpy((char *)input + 4 * i, kind == ANY_BITS ? (const void *)&any : &narrow, 4);
    }
}

void fill_doubles(source *from, void *input, size_t bytes)
{
    int kind;
    uint64_t state = seeded(from, &kind);
    for (size_t i = 0; i < bytes / 8; i++) {
        const uint32_t high = next_random(&state);
        const uint64_t any = (uint64_t)high << 32 | next_random(&state);
        const double x = value(&state, kind);
        memcpy((char *)input + 8 * i, kind == ANY_BITS ? (const void *)&any : &x, 8);
    }
}

void fill_shorts(source *from, void *input, size_t bytes)
{
    static const int16_t extremes[] = {0, 1, -1, 32767, -32768};
    int kind;
    uint64_t state = seeded(from, &kind);
    for (size_t i = 0; i < bytes / 2; i++) {
        const uint32_t drawn = next_random(&state);
        const int edge = kind == EDGES || (kind == SOME_EDGES && drawn % 61 == 0);
        const int16_t x = edge ? extremes[drawn / 61 % COUNT(extremes)] : (int16_t)(drawn >> 16);
        memcpy((char *)input + 2 * i, &x, 2);
    }
}
