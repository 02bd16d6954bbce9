#include "cepstrum.h"

#include "elementary.h"

static double lifted(const ek_log_mel_config *config, int32_t c)
{
    const double q = (double)config->lifter, at = (double)(c + config->lifter_from);
    if (q == 0.0)
        return 1.0;
    /* sin(pi at / q); the lifter counts in steps of 1 / 1024 */
    return 1.0 + 0.5 * q * ek_sin_turn((int64_t)(at * 1024.0), 2 * (int64_t)(q * 1024.0));
}

/* The square root of a number of 0 to 2, by Newton's steps. */
static double root(double x)
{
    double y = 1.0;
    for (int i = 0; i < 60; i++)
        y = 0.5 * (y + x / y);
    return y;
}

void ek_cepstrum_cosines(const ek_log_mel_config *config, float *cosines)
{
    const int32_t bins = config->mel_bins, stride = ek_cepstrum_stride(config);
    for (int32_t m = 0; m < bins; m++)
        for (int32_t c = 0; c < stride; c++) {
            const double scale = root((c == 0 ? 1.0 : 2.0) / (double)bins);
            const double cosine = ek_cos_turn((int64_t)c * (2 * m + 1), 4 * (int64_t)bins);
            cosines[m * stride + c] =
                c < config->cepstra ? (float)(scale * cosine * lifted(config, c)) : 0.0f;
        }
}
