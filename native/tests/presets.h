/* Log-mel configurations that the tests share. */
#ifndef EK_PRESETS_H
#define EK_PRESETS_H

#include "edgekit.h"

static const ek_log_mel_config kaldi_80 = {
    16000, 400, 160, 512, 80, EK_WINDOW_POVEY, EK_MEL_KALDI, EK_FRAMES_WHOLE, EK_LOG_NATURAL, 1,
    0.97f, 1.0f, 1.1920928955078125e-07f, 20.0, 8000.0};

static const ek_log_mel_config whisper_80 = {
    16000, 400, 160, 400, 80, EK_WINDOW_HANN_PERIODIC, EK_MEL_SLANEY, EK_FRAMES_CENTRED, EK_LOG_10,
    0, 0.0f, 1.0f, 1e-10f, 0.0, 8000.0};

/* 8 kHz, 23 bins, a scale, and a transform with every radix: 120 = 5 * 4 * 3 * 2. */
static const ek_log_mel_config narrow_23 = {
    8000, 200, 80, 240, 23, EK_WINDOW_POVEY, EK_MEL_KALDI, EK_FRAMES_WHOLE, EK_LOG_NATURAL, 1,
    0.97f, 32768.0f, 1.1920928955078125e-07f, 100.0, 3800.0};

/* The smallest there is. */
static const ek_log_mel_config tiny_1 = {
    8000, 2, 1, 2, 1, EK_WINDOW_HANN_PERIODIC, EK_MEL_SLANEY, EK_FRAMES_CENTRED, EK_LOG_10, 0,
    0.0f, 1.0f, 1e-10f, 0.0, 4000.0};

static const ek_log_mel_config *const presets[] = {&kaldi_80, &whisper_80, &narrow_23, &tiny_1};

#endif
