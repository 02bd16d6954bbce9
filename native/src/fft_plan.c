#include "fft_plan.h"

#include "elementary.h"

/* The power of two that is left: eights, and one or two fours, or a two. */
static int32_t binary_radix(int32_t size)
{
    if (size % 16 == 0 && size != 16)
        return 8;
    return size == 16 ? 4 : size;
}

/* An eight first, where there is one: a frame on its own is transformed in eight lanes. */
int32_t ek_fft_radices(int32_t size, int32_t *radix, int32_t capacity)
{
    int32_t stages = 0;
    while (size > 1 && stages < capacity) {
        int32_t next = 0;
        if (size % 8 == 0 && stages == 0)
            next = 8;
        else if (size % 5 == 0)
            next = 5;
        else if (size % 3 == 0)
            next = 3;
        else if ((size & (size - 1)) == 0)
            next = binary_radix(size);
        else
            return 0;
        radix[stages++] = next;
        size /= next;
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
