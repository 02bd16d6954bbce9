/* Quantiles of long windows, block by block. */
#ifndef EK_RANKS_BLOCKS_H
#define EK_RANKS_BLOCKS_H

#include "rolling_operations.h"

/* Of the `count` windows that begin at enter[0], enter[1], ...; all samples are finite. */
void ek_rank_blocks(const ek_ranks *ranks, void *scratch);
size_t ek_blocks_bytes(void);

#endif
