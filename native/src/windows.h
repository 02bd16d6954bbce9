/* Window functions. */
#ifndef EK_WINDOWS_H
#define EK_WINDOWS_H

#include "edgekit.h"

/* frame_samples floats: the window in the middle, zeros around it. */
void ek_fill_window(const ek_log_mel_config *config, float *window);

#endif
