#include "fft_plan.h"

#include "elementary.h"

int32_t ek_fft_radices(int32_t size, int32_t *radix, int32_t capacity)
{
    static const int32_t known[] = {5, 4, 3, 2};
    int32_t stages = 0;
    for (int i = 0; i < 4; i++) {
        while (size % known[i] == 0 && stages < capacity) {
            radix[stages++] = known[i];
            size /= known[i];
        }
    }
    return size == 1 ? stages : 0;
}

int32_t ek_fft_twiddle_count(int32_t size, const int32_t *radix, int32_t stages)
{
    int32_t count = 0;
    for (int32_t stage = 0; stage < stages; stage++) {
        size /= radix[stage];
        count += size * (radix[stage] - 1);
    }
    return count;
}

void ek_fft_twiddles(int32_t size, const int32_t *radix, int32_t stages, float *pairs)
{
    for (int32_t stage = 0; stage < stages; stage++) {
        for (int32_t j = 0; j < size / radix[stage]; j++) {
            for (int32_t q = 1; q < radix[stage]; q++) {
                *pairs++ = (float)ek_cos_turn((int64_t)j * q, size);
                *pairs++ = (float)-ek_sin_turn((int64_t)j * q, size);
            }
        }
        size /= radix[stage];
    }
}

void ek_fft_slots(int32_t size, const int32_t *radix, int32_t stages, int32_t *slots)
{
    for (int32_t k = 0; k < size; k++) {
        int32_t rest = k;
        int32_t span = size;
        slots[k] = 0;
        for (int32_t stage = 0; stage < stages; stage++) {
            span /= radix[stage];
            slots[k] += rest % radix[stage] * span;
            rest /= radix[stage];
        }
    }
}
