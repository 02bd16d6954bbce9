#include "mel.h"

#include "elementary.h"

/* Kaldi: mel = 1127 ln(1 + hz / 700). */
static double kaldi_mel(double hz) { return 1127.0 * ek_table_ln(1.0 + hz / 700.0); }

/* Slaney's Auditory Toolbox, as librosa: linear to 1 kHz, then 27 steps for a factor of 6.4. */
static double slaney_mel(double hz)
{
    return hz < 1000.0 ? hz * 3.0 / 200.0
                       : 15.0 + ek_table_ln(hz / 1000.0) * (27.0 / ek_table_ln(6.4));
}

static double slaney_hz(double mel)
{
    return mel < 15.0 ? mel * 200.0 / 3.0
                      : 1000.0 * ek_table_exp((mel - 15.0) * (ek_table_ln(6.4) / 27.0));
}

static double triangle(double x, double left, double centre, double right)
{
    if (x <= left || x >= right)
        return 0.0;
    return x <= centre ? (x - left) / (centre - left) : (right - x) / (right - centre);
}

/* Edge i of mel_bins + 2, on the axis in which the triangles are straight. */
static double edge(const ek_log_mel_config *config, int32_t i)
{
    const double part = (double)i / (double)(config->mel_bins + 1);
    if (config->mel_scale == EK_MEL_KALDI) {
        const double low = kaldi_mel(config->low_hz);
        return low + (kaldi_mel(config->high_hz) - low) * part;
    }
    const double low = slaney_mel(config->low_hz);
    return slaney_hz(low + (slaney_mel(config->high_hz) - low) * part);
}

/* Kaldi leaves out the Nyquist bin. */
static int32_t spectrum_bins(const ek_log_mel_config *config)
{
    return config->fft_samples / 2 + (config->mel_scale == EK_MEL_SLANEY);
}

static void add_weight(ek_mel_band *band, float *weights, int32_t bin, double weight)
{
    if (weight <= 0.0)
        return;
    if (band->count == 0)
        band->first = bin;
    weights[band->weight + band->count++] = (float)weight;
}

void ek_mel_bands(const ek_log_mel_config *config, ek_mel_band *bands, float *weights)
{
    const double bin_hz = (double)config->sample_rate_hz / (double)config->fft_samples;
    const int kaldi = config->mel_scale == EK_MEL_KALDI;
    int32_t used = 0;
    for (int32_t m = 0; m < config->mel_bins; m++) {
        const double left = edge(config, m);
        const double centre = edge(config, m + 1);
        const double right = edge(config, m + 2);
        const double height = kaldi ? 0.25 : 0.5 / (right - left); /* slaney: 2 / width, over 4 */
        bands[m] = (ek_mel_band){0, 0, used};
        for (int32_t bin = 0; bin < spectrum_bins(config); bin++) {
            const double x = kaldi ? kaldi_mel(bin_hz * bin) : bin_hz * bin;
            add_weight(&bands[m], weights, bin, height * triangle(x, left, centre, right));
        }
        used += bands[m].count;
    }
}
