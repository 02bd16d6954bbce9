/* A sorted collection of at most `window` values: buckets of sorted cells, in order. */
#ifndef EK_ORDER_H
#define EK_ORDER_H

#include "edgekit.h"

/* Where a rank was last found: in a bucket, with so many values in the buckets before it. */
typedef struct {
    int32_t bucket;
    int32_t before;
} ek_cursor;

/* Offsets are in bytes from the structure. Two neighbours hold more than half a capacity, or they
 * are merged, which bounds the number of buckets. Cells and tops are followed by infinities, to
 * the next multiple of eight. */
typedef struct {
    int32_t count;
    int32_t buckets;
    int32_t capacity;
    int32_t most;           /* buckets that there is room for */
    size_t top, size, slot, cells;
    ek_cursor cursor[EK_ROLLING_QUANTILES];
} ek_order;

static inline double *ek_order_tops(ek_order *order)
{
    return (double *)(void *)((char *)order + order->top);
}

static inline int32_t *ek_order_sizes(ek_order *order)
{
    return (int32_t *)(void *)((char *)order + order->size);
}

/* Which run of cells a bucket has; those behind the last bucket are free. */
static inline int32_t *ek_order_slots(ek_order *order)
{
    return (int32_t *)(void *)((char *)order + order->slot);
}

static inline double *ek_order_cells(ek_order *order, int32_t bucket)
{
    double *cells = (double *)(void *)((char *)order + order->cells);
    return cells + (size_t)ek_order_slots(order)[bucket] * (size_t)order->capacity;
}

size_t ek_order_bytes(int32_t window);
void ek_order_start(void *memory, int32_t window);

/* Makes room where a bucket is full, and none where it is empty. */
void ek_order_open(ek_order *order);
void ek_order_split(ek_order *order, int32_t bucket);
void ek_order_merge(ek_order *order, int32_t bucket);

#endif
