#include "mel.h"

#include "elementary.h"

/* Kaldi and HTK: mel = 1127 ln(1 + hz / 700). */
static double kaldi_mel(double hz) { return 1127.0 * ek_table_ln(1.0 + hz / 700.0); }
static double kaldi_hz(double mel) { return 700.0 * (ek_table_exp(mel / 1127.0) - 1.0); }

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

/* Edge i of mel_bins + 2, on the axis in which the triangles are straight. */
static double edge(const ek_log_mel_config *config, int32_t i)
{
    const double part = (double)i / (double)(config->mel_bins + 1);
    if (config->mel_scale == EK_MEL_SLANEY) {
        const double low = slaney_mel(config->low_hz);
        return slaney_hz(low + (slaney_mel(config->high_hz) - low) * part);
    }
    const double low = kaldi_mel(config->low_hz);
    const double mel = low + (kaldi_mel(config->high_hz) - low) * part;
    return config->mel_scale == EK_MEL_KALDI ? mel : kaldi_hz(mel);
}

/* Of a bin of the spectrum, on the same axis. */
static double position(const ek_log_mel_config *config, int32_t bin)
{
    const double hz = (double)config->sample_rate_hz / (double)config->fft_samples * bin;
    return config->mel_scale == EK_MEL_KALDI ? kaldi_mel(hz) : hz;
}

/* Kaldi leaves out the Nyquist bin. */
static int32_t spectrum_bins(const ek_log_mel_config *config)
{
    return config->fft_samples / 2 + (config->mel_scale != EK_MEL_KALDI);
}

/* The bins between edges m and m + 1, the upper one included. None before segment->first is. */
static void find_bins(const ek_log_mel_config *config, int32_t m, ek_mel_segment *segment)
{
    const double low = edge(config, m), high = edge(config, m + 1);
    const int32_t bins = spectrum_bins(config);
    while (segment->first < bins && position(config, segment->first) <= low)
        segment->first++;
    int32_t end = segment->first;
    while (end < bins && position(config, end) <= high)
        end++;
    segment->count = end - segment->first;
}

/* Kaldi's triangles are in mel, and 2 / width is of hertz. */
static double area_height(const ek_log_mel_config *config, int32_t m)
{
    const double low = edge(config, m), high = edge(config, m + 2);
    if (config->mel_scale != EK_MEL_KALDI)
        return 2.0 / (high - low);
    return 2.0 / (kaldi_hz(high) - kaldi_hz(low));
}

/* Of triangle m; a quarter of it, or for magnitudes a half. */
static double height(const ek_log_mel_config *config, int32_t m)
{
    const double part = config->magnitude ? 0.5 : 0.25;
    if (m < 0 || m >= config->mel_bins)
        return 0.0;
    return config->mel_area ? part * area_height(config, m) : part;
}

void ek_mel_segments(const ek_log_mel_config *config, ek_mel_segment *segments, float *weights)
{
    int32_t used = 0, first = 0;
    for (int32_t m = 0; m <= config->mel_bins; m++) {
        const double low = edge(config, m), high = edge(config, m + 1);
        const double rising = height(config, m), falling = height(config, m - 1);
        segments[m] = (ek_mel_segment){first, 0, used};
        find_bins(config, m, &segments[m]);
        first = segments[m].first + segments[m].count;
        for (int32_t i = 0; i < segments[m].count; i++) {
            const double part = (position(config, segments[m].first + i) - low) / (high - low);
            weights[2 * used] = (float)(rising * part);
            weights[2 * used++ + 1] = (float)(falling * (1.0 - part));
        }
    }
}
