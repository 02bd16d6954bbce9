/* Configurations of the fixed-point front end that the tests share. */
#ifndef EK_MICRO_PRESETS_H
#define EK_MICRO_PRESETS_H

#include "edgekit.h"

static const ek_micro_config micro_40 = {16000, 480, 160, 40, 10, 1, 21, 1, 6, 125.0f, 7500.0f,
                                            0.025f, 0.06f, 0.05f, 0.95f, 80.0f, 0.0390625f};
/* Other sizes: an odd power of two, the smallest and the largest transform, all channels. */
static const ek_micro_config micro_20 = {8000, 129, 1, 20, 12, 0, 21, 0, 6, 125.0f, 3800.0f,
                                            0.5f, 1.0f, 0.0f, 0.95f, 80.0f, 1.0f};
static const ek_micro_config micro_256 = {16000, 700, 700, 256, 8, 1, 24, 1, 8, 0.0f, 7900.0f,
                                             0.0f, 0.06f, 1.0f, 2.0f, 1.0f, 1.0f};
static const ek_micro_config micro_64 = {48000, 4096, 480, 64, 16, 1, 21, 1, 6, 60.0f, 20000.0f,
                                            0.025f, 0.06f, 0.05f, 0.95f, 80.0f, 1.0f};

static const ek_micro_config *const micro_presets[] = {&micro_40, &micro_20, &micro_256, &micro_64};

#endif
