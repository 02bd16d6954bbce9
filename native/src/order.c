#include "order.h"

#include <math.h>
#include <string.h>

enum { SMALL = 64, LARGE = 256, SMALL_WINDOW = 4096 };

static ek_order described(int32_t window)
{
    ek_order order;
    memset(&order, 0, sizeof order);
    order.capacity = window <= SMALL_WINDOW ? SMALL : LARGE;
    order.most = window <= SMALL ? 1 : 4 * window / order.capacity + 3;
    const size_t most = ((size_t)order.most + 7) / 8 * 8;
    order.top = (sizeof order + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
    order.cells = order.top + most * sizeof(double);
    order.size = order.cells + (size_t)order.most * (size_t)order.capacity * sizeof(double);
    order.slot = order.size + most * sizeof(int32_t);
    return order;
}

size_t ek_order_bytes(int32_t window)
{
    const ek_order order = described(window);
    return order.slot + ((size_t)order.most + 7) / 8 * 8 * sizeof(int32_t);
}

static void empty(double *cells, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        cells[i] = INFINITY;
}

void ek_order_start(void *memory, int32_t window)
{
    ek_order *order = memory;
    *order = described(window);
    for (int32_t i = 0; i < order->most; i++)
        ek_order_slots(order)[i] = i;
    empty(ek_order_tops(order), 0, (order->most + 7) / 8 * 8);
}

static void forget_cursors(ek_order *order) { memset(order->cursor, 0, sizeof order->cursor); }

void ek_order_open(ek_order *order)
{
    order->buckets = 1;
    ek_order_sizes(order)[0] = 0;
    empty(ek_order_cells(order, 0), 0, order->capacity);
    forget_cursors(order);
}

/* Buckets from `from` on move by one place up or down; the free slots stay behind them. */
static void move_buckets(ek_order *order, int32_t from, int32_t by)
{
    const size_t rest = (size_t)(order->buckets - from);
    double *tops = ek_order_tops(order) + from;
    int32_t *sizes = ek_order_sizes(order) + from, *slots = ek_order_slots(order) + from;
    memmove(tops + by, tops, rest * sizeof *tops);
    memmove(sizes + by, sizes, rest * sizeof *sizes);
    memmove(slots + by, slots, rest * sizeof *slots);
    order->buckets += by;
}

void ek_order_split(ek_order *order, int32_t bucket)
{
    const int32_t free_slot = ek_order_slots(order)[order->buckets], half = order->capacity / 2;
    move_buckets(order, bucket + 1, 1);
    ek_order_slots(order)[bucket + 1] = free_slot;
    double *low = ek_order_cells(order, bucket), *high = ek_order_cells(order, bucket + 1);
    memcpy(high, low + half, (size_t)half * sizeof *low);
    empty(high, half, order->capacity);
    empty(low, half, order->capacity);
    ek_order_sizes(order)[bucket] = ek_order_sizes(order)[bucket + 1] = half;
    ek_order_tops(order)[bucket + 1] = ek_order_tops(order)[bucket];
    ek_order_tops(order)[bucket] = low[half - 1];
    forget_cursors(order);
}

/* The bucket's values go to the one before it. */
static void merge_down(ek_order *order, int32_t bucket)
{
    int32_t *sizes = ek_order_sizes(order);
    const int32_t slot = ek_order_slots(order)[bucket];
    if (sizes[bucket]) {
        double *to = ek_order_cells(order, bucket - 1) + sizes[bucket - 1];
        memcpy(to, ek_order_cells(order, bucket), (size_t)sizes[bucket] * sizeof *to);
        ek_order_tops(order)[bucket - 1] = ek_order_tops(order)[bucket];
        sizes[bucket - 1] += sizes[bucket];
    }
    move_buckets(order, bucket + 1, -1);
    ek_order_slots(order)[order->buckets] = slot;
    ek_order_tops(order)[order->buckets] = INFINITY;
    forget_cursors(order);
}

void ek_order_merge(ek_order *order, int32_t bucket)
{
    const int32_t *sizes = ek_order_sizes(order), enough = order->capacity / 2;
    if (bucket + 1 < order->buckets && sizes[bucket] + sizes[bucket + 1] <= enough)
        merge_down(order, bucket + 1);
    if (bucket > 0 && sizes[bucket - 1] + sizes[bucket] <= enough)
        merge_down(order, bucket);
}
