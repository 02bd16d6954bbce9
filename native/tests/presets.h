/* Log-mel configurations that the tests share. */
#ifndef EK_PRESETS_H
#define EK_PRESETS_H

#include "edgekit.h"

#define EPSILON 1.1920928955078125e-07f

static const ek_log_mel_config kaldi_80 = {
    .sample_rate_hz = 16000, .frame_samples = 400, .window_samples = 400, .hop_samples = 160,
    .fft_samples = 512, .mel_bins = 80, .window = EK_WINDOW_POVEY, .mel_scale = EK_MEL_KALDI,
    .framing = EK_FRAMES_WHOLE, .logarithm = EK_LOG_NATURAL, .remove_dc = 1, .preemphasis = 0.97f,
    .input_scale = 1.0f, .floor = EPSILON, .low_hz = 20.0, .high_hz = 8000.0};

static const ek_log_mel_config whisper_80 = {
    .sample_rate_hz = 16000, .frame_samples = 400, .window_samples = 400, .hop_samples = 160,
    .fft_samples = 400, .mel_bins = 80, .window = EK_WINDOW_HANN_PERIODIC,
    .mel_scale = EK_MEL_SLANEY, .mel_area = 1, .framing = EK_FRAMES_CENTRED_BUT_LAST,
    .logarithm = EK_LOG_10, .input_scale = 1.0f, .floor = 1e-10f, .high_hz = 8000.0};

/* 8 kHz, 23 bins, a scale, and a transform with every radix: 120 = 5 * 4 * 3 * 2. */
static const ek_log_mel_config narrow_23 = {
    .sample_rate_hz = 8000, .frame_samples = 200, .window_samples = 200, .hop_samples = 80,
    .fft_samples = 240, .mel_bins = 23, .window = EK_WINDOW_POVEY, .mel_scale = EK_MEL_KALDI,
    .framing = EK_FRAMES_WHOLE, .logarithm = EK_LOG_NATURAL, .remove_dc = 1, .preemphasis = 0.97f,
    .input_scale = 32768.0f, .floor = EPSILON, .low_hz = 100.0, .high_hz = 3800.0};

/* The smallest there is. */
static const ek_log_mel_config tiny_1 = {
    .sample_rate_hz = 8000, .frame_samples = 2, .window_samples = 2, .hop_samples = 1,
    .fft_samples = 2, .mel_bins = 1, .window = EK_WINDOW_HANN_PERIODIC, .mel_scale = EK_MEL_SLANEY,
    .mel_area = 1, .framing = EK_FRAMES_CENTRED_BUT_LAST, .logarithm = EK_LOG_10,
    .input_scale = 1.0f, .floor = 1e-10f, .high_hz = 4000.0};

/* Cepstra with energy and lifter, noise, mirrored ends, an odd hop. */
static const ek_log_mel_config cepstra_13 = {
    .sample_rate_hz = 16000, .frame_samples = 400, .window_samples = 400, .hop_samples = 161,
    .fft_samples = 512, .mel_bins = 23, .window = EK_WINDOW_HAMMING, .mel_scale = EK_MEL_KALDI,
    .framing = EK_FRAMES_HOPS, .padding = EK_PAD_SYMMETRIC, .logarithm = EK_LOG_NATURAL,
    .remove_dc = 1, .energy = 1, .cepstra = 13, .lifter = 22.0f, .preemphasis = 0.97f,
    .input_scale = 1.0f, .dither = 1.0f, .dither_seed = 7, .floor = EPSILON, .low_hz = 20.0,
    .high_hz = 8000.0};

/* Decibels of magnitudes, a short window in a long frame, silence beyond the ends, hops that leave
 * samples out. */
static const ek_log_mel_config magnitudes_40 = {
    .sample_rate_hz = 22050, .frame_samples = 320, .window_samples = 300, .hop_samples = 333,
    .fft_samples = 320, .mel_bins = 40, .window = EK_WINDOW_HANN_PERIODIC,
    .mel_scale = EK_MEL_HTK, .framing = EK_FRAMES_CENTRED, .padding = EK_PAD_ZERO, .magnitude = 1,
    .logarithm = EK_LOG_DB, .energy = 1, .input_scale = 1.0f, .floor = 1e-5f, .high_hz = 11025.0};

static const ek_log_mel_config *const presets[] = {&kaldi_80, &whisper_80, &narrow_23,
                                                   &tiny_1, &cepstra_13, &magnitudes_40};

#endif
