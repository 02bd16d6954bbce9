/* A configuration of rolling statistics with every row: nine kinds, then five quantiles. */
#ifndef EK_TESTS_ROLLING_H
#define EK_TESTS_ROLLING_H

#include <string.h>

#include "edgekit.h"

enum { ROWS = EK_ROLLING_KINDS + 5 };

static inline ek_rolling_config everything(void)
{
    static const double quantiles[] = {0.0, 0.1, 0.5, 0.77, 1.0};
    ek_rolling_config config;
    memset(&config, 0, sizeof config);
    config.window = config.min_samples = 60;
    for (int kind = 0; kind < EK_ROLLING_KINDS; kind++)
        config.row[kind] = kind;
    config.quantile_count = ROWS - EK_ROLLING_KINDS;
    for (int q = 0; q < config.quantile_count; q++) {
        config.quantile[q] = quantiles[q];
        config.quantile_row[q] = EK_ROLLING_KINDS + q;
    }
    config.bins = 12;
    config.low = -1.5;
    config.high = 1.5;
    config.ewma_alpha = 0.125;
    config.ewma_adjust = 1;
    return config;
}

static inline size_t value_bytes(int type)
{
    return type == EK_FLOAT64 ? sizeof(double) : sizeof(float);
}

#endif
