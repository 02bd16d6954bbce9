/* Pixels of eight bytes each, four at a time, and pairs of their bytes times weights. */
#ifndef EK_ARM_PIXELS_H
#define EK_ARM_PIXELS_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#include "../vector.h"

typedef uint8x16_t ek_bytes;

/* Of two rows, pixels 0 and 1 from at[0..3]. */
EK_INLINE void ek_load_pixels(const uint8_t *const *rows, const ptrdiff_t *at, ek_bytes *out)
{
    for (int i = 0; i < 2; i++)
        out[i] = vcombine_u8(vld1_u8(rows[i] + at[0]), vld1_u8(rows[i] + at[1]));
}

EK_INLINE ek_bytes ek_repeat(const uint8_t *bytes16) { return vld1q_u8(bytes16); }

/* Eight bytes of low, eight bytes of high. */
EK_INLINE ek_bytes ek_pick(ek_bytes low, ek_bytes high, ek_bytes first, ek_bytes second)
{
    return vorrq_u8(vqtbl1q_u8(low, first), vqtbl1q_u8(high, second));
}

EK_INLINE ek_i32 ek_weigh(ek_bytes pairs, const int32_t *weights)
{
    const int16x8_t p = vreinterpretq_s16_u8(pairs);
    const int16x8_t w = vreinterpretq_s16_s32(vld1q_s32(weights));
    const int32x4_t low = vmull_s16(vget_low_s16(p), vget_low_s16(w));
    return (ek_i32)vpaddq_s32(low, vmull_high_s16(p, w));
}

#endif
