/* The transform in lanes against the definition in double precision. */
#include "fft.h"

#include "check.h"
#include "elementary.h"
#include "fft_plan.h"

enum { MOST = 512 };

static double cosine[MOST], sine[MOST]; /* of parts of a turn */

static void direct(const float *signal, int32_t size, int32_t k, double *re, double *im)
{
    *re = *im = 0.0;
    for (int32_t n = 0; n < size; n++) {
        const double c = cosine[n * k % size], s = -sine[n * k % size];
        *re += signal[2 * n] * c - signal[2 * n + 1] * s;
        *im += signal[2 * n] * s + signal[2 * n + 1] * c;
    }
}

static double square(double x) { return x * x; }

/* Energy of the error over energy of the spectrum. */
static double error_at(int32_t size, int32_t used, const int32_t *radix, int32_t stages)
{
    static float signal[EK_LANES][2 * MOST], twiddles[2 * 2 * MOST];
    static ek_f32 rows[2 * MOST];
    int32_t slots[MOST];
    uint64_t state = (uint64_t)size;
    double error = 0.0, total = 0.0;
    memset(rows, 0xff, sizeof rows); /* NaN, where nothing may be read */
    for (int32_t i = 0; i < 2 * size; i++)
        for (int l = 0; l < EK_LANES; l++) {
            signal[l][i] = i < 2 * used ? next_float(&state) : 0.0f;
            if (i < 2 * ek_fft_needed(size, used, radix))
                ((float *)&rows[i])[l] = signal[l][i];
        }
    ek_fft_twiddles(size, radix, stages, twiddles);
    ek_fft_slots(size, radix, stages, slots);
    ek_fft(rows, size, used, 1, radix, twiddles);
    for (int l = 0; l < EK_LANES; l++)
        for (int32_t k = l; k < size; k += 1 + size / 60) { /* an emulator takes its time */
            double re, im;
            direct(signal[l], size, k, &re, &im);
            error += square(re - ek_lane(rows[2 * slots[k]], l));
            error += square(im - ek_lane(rows[2 * slots[k] + 1], l));
            total += re * re + im * im;
        }
    return error / total;
}

int main(void)
{
    int tried = 0;
    for (int32_t size = 1; size <= MOST; size++) {
        int32_t radix[16];
        const int32_t stages = ek_fft_radices(size, radix, 16);
        if (stages == 0)
            continue;
        for (int32_t n = 0; n < size; n++) {
            cosine[n] = ek_cos_turn(n, size);
            sine[n] = ek_sin_turn(n, size);
        }
        for (int32_t used = size; used > 0; used -= 1 + size / 7) {
            const double error = error_at(size, used, radix, stages);
            CHECK(error < square(2e-7), "%d of %d: relative error %g squared", (int)used, (int)size,
                  error);
        }
        tried++;
    }
    CHECK(tried == 67, "%d sizes above 1 are products of 2, 3 and 5", tried);
    return 0;
}
