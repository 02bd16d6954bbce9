/* Tables of an in-place complex transform by decimation in frequency, radices 2, 3, 4, 5 and 8. */
#ifndef EK_FFT_PLAN_H
#define EK_FFT_PLAN_H

#include <stdint.h>

/* Factors of `size` in the order of the stages; their number, or 0 when a prime is above 5. */
int32_t ek_fft_radices(int32_t size, int32_t *radix, int32_t capacity);

/* Float pairs needed by ek_fft_twiddles. */
int32_t ek_fft_twiddle_count(int32_t size, const int32_t *radix, int32_t stages);

/* For each stage of span L and radix r, for j < L / r and 0 < q < r: e^(-2 pi i j q / L). */
void ek_fft_twiddles(int32_t size, const int32_t *radix, int32_t stages, float *pairs);

/* slots[k] is where the transform leaves output k. */
void ek_fft_slots(int32_t size, const int32_t *radix, int32_t stages, int32_t *slots);

#endif
