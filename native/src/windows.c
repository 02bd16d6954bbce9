#include "windows.h"

#include "elementary.h"

/* Value i of n. Only the hann and hamming family: a - b cos(turns). */
static double value(int32_t window, int32_t i, int32_t n)
{
    const int periodic = window == EK_WINDOW_HANN_PERIODIC || window == EK_WINDOW_HAMMING_PERIODIC;
    const int hamming = window == EK_WINDOW_HAMMING || window == EK_WINDOW_HAMMING_PERIODIC;
    if (window == EK_WINDOW_RECTANGULAR)
        return 1.0;
    const double cosine = ek_cos_turn(i, periodic ? n : n - 1);
    const double raised = hamming ? 0.54 - 0.46 * cosine : 0.5 - 0.5 * cosine;
    return window == EK_WINDOW_POVEY && raised > 0.0 ? ek_table_exp(0.85 * ek_table_ln(raised))
                                                     : raised;
}

void ek_fill_window(const ek_log_mel_config *config, float *window)
{
    const int32_t n = config->window_samples, first = (config->frame_samples - n) / 2;
    for (int32_t i = 0; i < config->frame_samples; i++) {
        const int inside = i >= first && i < first + n;
        window[i] = inside ? (float)value(config->window, i - first, n) : 0.0f;
    }
}
