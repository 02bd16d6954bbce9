/* Quantiles of long windows that lie whole in memory. Blocks of one window are sorted once; a
 * window that spans two of them is a set of ranks in both, one bit each. As it moves on, one bit
 * goes and one comes, and a quantile is never far from where it was (after Suomela, "Median
 * Filtering is Equivalent to Sorting", 2014, with bits for linked lists). */
#include "ranks_blocks.h"

enum { DIGIT = 8, DIGITS = 64 / DIGIT, RADIX = 1 << DIGIT };

typedef struct {
    uint64_t key[2][EK_BLOCKS_MAX_WINDOW]; /* sorted, the block before and the current one */
    uint16_t index[2][EK_BLOCKS_MAX_WINDOW];
    uint64_t spare_key[EK_BLOCKS_MAX_WINDOW];
    uint16_t spare_index[EK_BLOCKS_MAX_WINDOW];
    uint32_t histogram[DIGITS][RADIX];
    double value[2 * EK_BLOCKS_MAX_WINDOW];    /* of both blocks, sorted */
    uint16_t rank[2][EK_BLOCKS_MAX_WINDOW];    /* there, by place in the block */
    uint64_t present[2 * EK_BLOCKS_MAX_WINDOW / 64 + 1];
} ek_blocks;

size_t ek_blocks_bytes(void) { return sizeof(ek_blocks); }

/* Unsigned keys in the order of the doubles. */
static uint64_t key_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (bits >> 63 ? ~UINT64_C(0) : UINT64_C(1) << 63);
}

static double value_of(uint64_t key)
{
    double value;
    key ^= key >> 63 ? UINT64_C(1) << 63 : ~UINT64_C(0);
    memcpy(&value, &key, sizeof value);
    return value;
}

static void count_digits(ek_blocks *b, const uint64_t *key, int32_t count)
{
    memset(b->histogram, 0, sizeof b->histogram);
    for (int32_t i = 0; i < count; i++)
        for (int d = 0; d < DIGITS; d++)
            b->histogram[d][key[i] >> (DIGIT * d) & (RADIX - 1)]++;
}

/* Where each digit's first key goes; 0 when all keys have the same digit. */
static int find_places(uint32_t *histogram, uint64_t one_key, int d, int32_t count)
{
    if (histogram[one_key >> (DIGIT * d) & (RADIX - 1)] == (uint32_t)count)
        return 0;
    for (uint32_t i = 0, sum = 0; i < RADIX; i++) {
        const uint32_t here = histogram[i];
        histogram[i] = sum;
        sum += here;
    }
    return 1;
}

/* Radix sort, least digit first; digits that do not vary cost nothing. */
static void sort_block(ek_blocks *b, int which, const double *samples, int32_t count)
{
    uint64_t *key = b->key[which], *next_key = b->spare_key;
    uint16_t *index = b->index[which], *next_index = b->spare_index;
    for (int32_t i = 0; i < count; i++) {
        key[i] = key_of(samples[i]);
        index[i] = (uint16_t)i;
    }
    count_digits(b, key, count);
    for (int d = 0; d < DIGITS; d++) {
        uint32_t *place = b->histogram[d];
        if (!find_places(place, key[0], d, count))
            continue;
        for (int32_t i = 0; i < count; i++) {
            const uint32_t to = place[key[i] >> (DIGIT * d) & (RADIX - 1)]++;
            next_key[to] = key[i];
            next_index[to] = index[i];
        }
        uint64_t *const old_key = key;
        uint16_t *const old_index = index;
        key = next_key, index = next_index;
        next_key = old_key, next_index = old_index;
    }
    if (key != b->key[which]) {
        memcpy(b->key[which], key, (size_t)count * sizeof *key);
        memcpy(b->index[which], index, (size_t)count * sizeof *index);
    }
}

/* Ranks of the values of two sorted blocks among all of them. */
static void rank_blocks(ek_blocks *b, int old, int32_t old_count, int32_t new_count)
{
    const uint64_t *const olds = b->key[old], *const news = b->key[!old];
    int32_t i = 0, j = 0;
    while (i < old_count && j < new_count) {
        const int take_new = news[j] < olds[i];
        const int32_t at = i + j;
        b->value[at] = value_of(take_new ? news[j] : olds[i]);
        b->rank[take_new][b->index[take_new ? !old : old][take_new ? j : i]] = (uint16_t)at;
        i += !take_new;
        j += take_new;
    }
    for (; i < old_count; i++) {
        b->value[i + j] = value_of(olds[i]);
        b->rank[0][b->index[old][i]] = (uint16_t)(i + j);
    }
    for (; j < new_count; j++) {
        b->value[i + j] = value_of(news[j]);
        b->rank[1][b->index[!old][j]] = (uint16_t)(i + j);
    }
}

static int32_t next_present(const uint64_t *present, int32_t at)
{
    int32_t word = at >> 6;
    uint64_t bits = present[word] & ~UINT64_C(0) << (at & 63);
    while (!bits)
        bits = present[++word];
    return word * 64 + __builtin_ctzll(bits);
}

static int32_t last_present(const uint64_t *present, int32_t at)
{
    int32_t word = at >> 6;
    uint64_t bits = present[word] & ~UINT64_C(0) >> (63 - (at & 63));
    while (!bits)
        bits = present[--word];
    return word * 64 + 63 - __builtin_clzll(bits);
}

/* A quantile lies `part` of the way from the value of rank `below` among those present, found at
 * rank `at` among all, to the next one. */
typedef struct {
    int32_t at;
    int32_t below;
    double part;
} quantile;

static double value_at(const ek_blocks *b, const quantile *q)
{
    const double low = b->value[q->at];
    if (q->part == 0.0)
        return low;
    return ek_between(low, b->value[next_present(b->present, q->at + 1)], q->part);
}

static void move(const ek_blocks *b, quantile *q, int32_t leave, int32_t enter)
{
    const int more = (enter < q->at) - (leave < q->at);
    if (more > 0)
        q->at = last_present(b->present, q->at - 1);
    else
        q->at = next_present(b->present, q->at + (more < 0));
}

/* All of the old block is in the window, none of the new one. */
static void begin_pair(ek_blocks *b, int old, int32_t window, quantile *quantiles, int32_t count)
{
    memset(b->present, 0, sizeof b->present);
    for (int32_t i = 0; i < window; i++)
        b->present[b->rank[0][i] >> 6] |= UINT64_C(1) << (b->rank[0][i] & 63);
    for (int32_t i = 0; i < count; i++)
        quantiles[i].at = b->rank[0][b->index[old][quantiles[i].below]];
}

static void put_quantiles(const ek_blocks *b, const ek_ranks *ranks, const quantile *quantiles,
                          int32_t at)
{
    for (int32_t i = 0; i < ranks->plan->config.quantile_count; i++)
        ek_put(ranks->row[i], ranks->type, at, value_at(b, &quantiles[i]));
}

/* The windows that end in the new block, `done` windows after the first one. */
static void slide_pair(ek_blocks *b, const ek_ranks *ranks, quantile *quantiles, int32_t steps,
                       int32_t done)
{
    for (int32_t i = 0; i < steps; i++) {
        const int32_t leave = b->rank[0][i], enter = b->rank[1][i];
        b->present[leave >> 6] &= ~(UINT64_C(1) << (leave & 63));
        b->present[enter >> 6] |= UINT64_C(1) << (enter & 63);
        for (int32_t q = 0; q < ranks->plan->config.quantile_count; q++)
            move(b, &quantiles[q], leave, enter);
        put_quantiles(b, ranks, quantiles, done + i);
    }
}

void ek_rank_blocks(const ek_ranks *ranks, void *scratch)
{
    ek_blocks *b = scratch;
    const ek_rolling_config *config = &ranks->plan->config;
    const int32_t window = config->window;
    quantile quantiles[EK_ROLLING_QUANTILES];
    for (int32_t i = 0; i < config->quantile_count; i++) {
        const double place = config->quantile[i] * (window - 1);
        quantiles[i].below = (int32_t)place;
        quantiles[i].part = place - quantiles[i].below;
    }
    int old = 0;
    sort_block(b, old, ranks->enter, window);
    for (int32_t done = 0; done < ranks->count; old = !old) {
        const double *samples = ranks->enter + window + done - (done > 0);
        const int32_t rest = ranks->count - done - (done == 0);
        const int32_t steps = rest < window ? rest : window;
        sort_block(b, !old, samples, steps);
        rank_blocks(b, old, window, steps);
        begin_pair(b, old, window, quantiles, config->quantile_count);
        if (done == 0)
            put_quantiles(b, ranks, quantiles, done++);
        slide_pair(b, ranks, quantiles, steps, done);
        done += steps;
    }
}
