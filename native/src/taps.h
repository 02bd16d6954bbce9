/* Bytes and pixels times weights, one at a time. */
#ifndef EK_TAPS_H
#define EK_TAPS_H

#include "image_plan.h"
#include "vector.h"

enum { EK_BYTES = 1 };
typedef int32_t ek_byte_sums;

typedef struct {
    int32_t at[4];
} ek_pixel_sums;

EK_INLINE ek_byte_sums ek_no_byte_sums(void) { return 0; }
EK_INLINE ek_byte_sums ek_load_byte_sums(const int32_t *from) { return *from; }
EK_INLINE void ek_store_byte_sums(int32_t *to, ek_byte_sums sums) { *to = sums; }

EK_INLINE ek_byte_sums ek_add_bytes(ek_byte_sums sums, const uint8_t *row, const uint8_t *next,
                                    int16_t weight, int16_t other)
{
    return sums + *row * weight + *next * other;
}

EK_INLINE void ek_put_levels(ek_byte_sums sums, int16_t *out)
{
    const int shift = EK_FILTER_BITS - EK_LEVEL_BITS;
    *out = (int16_t)((sums + (1 << (shift - 1))) >> shift);
}

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return (ek_pixel_sums){{0, 0, 0, 0}}; }

/* EK_FILTER_GROUP pixels. */
EK_INLINE ek_pixel_sums ek_add_pixels(ek_pixel_sums sums, const int16_t *pixels, int32_t pixel,
                                      const int16_t *weights)
{
    for (int t = 0; t < EK_FILTER_GROUP; t++)
        for (int c = 0; c < 3; c++)
            sums.at[c] += pixels[t * pixel + c] * weights[t];
    return sums;
}

EK_INLINE void ek_put_pixel_sums(ek_pixel_sums sums, int32_t *out)
{
    memcpy(out, sums.at, sizeof sums.at);
}

#endif
