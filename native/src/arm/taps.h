/* Bytes and pixels times weights, four sums at a time. */
#ifndef EK_ARM_TAPS_H
#define EK_ARM_TAPS_H

#include <arm_neon.h>

#include "../image_plan.h"
#include "../vector.h"

enum { EK_BYTES = 8 };

typedef struct {
    int32x4_t low;
    int32x4_t high;
} ek_byte_sums;

EK_INLINE ek_byte_sums ek_no_byte_sums(void)
{
    return (ek_byte_sums){vdupq_n_s32(0), vdupq_n_s32(0)};
}

EK_INLINE ek_byte_sums ek_load_byte_sums(const int32_t *from)
{
    return (ek_byte_sums){vld1q_s32(from), vld1q_s32(from + 4)};
}

EK_INLINE void ek_store_byte_sums(int32_t *to, ek_byte_sums sums)
{
    vst1q_s32(to, sums.low);
    vst1q_s32(to + 4, sums.high);
}

EK_INLINE ek_byte_sums ek_add_bytes(ek_byte_sums sums, const uint8_t *row, const uint8_t *next,
                                    int16_t weight, int16_t other)
{
    const int16x8_t a = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row)));
    const int16x8_t b = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(next)));
    sums.low = vmlal_n_s16(sums.low, vget_low_s16(a), weight);
    sums.high = vmlal_n_s16(sums.high, vget_high_s16(a), weight);
    sums.low = vmlal_n_s16(sums.low, vget_low_s16(b), other);
    sums.high = vmlal_n_s16(sums.high, vget_high_s16(b), other);
    return sums;
}

EK_INLINE void ek_put_levels(ek_byte_sums sums, int16_t *out)
{
    enum { SHIFT = EK_FILTER_BITS - EK_LEVEL_BITS };
    vst1q_s16(out, vcombine_s16(vrshrn_n_s32(sums.low, SHIFT), vrshrn_n_s32(sums.high, SHIFT)));
}

typedef int32x4_t ek_pixel_sums;

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return vdupq_n_s32(0); }

EK_INLINE ek_pixel_sums ek_add_pixels(ek_pixel_sums sums, const int16_t *pixels, int32_t pixel,
                                      const int16_t *weights)
{
    const int16x4_t w = vld1_s16(weights);
    sums = vmlal_lane_s16(sums, vld1_s16(pixels), w, 0);
    sums = vmlal_lane_s16(sums, vld1_s16(pixels + pixel), w, 1);
    sums = vmlal_lane_s16(sums, vld1_s16(pixels + 2 * pixel), w, 2);
    return vmlal_lane_s16(sums, vld1_s16(pixels + 3 * pixel), w, 3);
}

EK_INLINE void ek_put_pixel_sums(ek_pixel_sums sums, int32_t *out) { vst1q_s32(out, sums); }

#endif
