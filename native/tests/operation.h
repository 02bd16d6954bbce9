/* One operation as the harness and the fuzzers see it: a case is drawn, then run with every
 * instruction set. Where its draws come from is the only difference between the two. */
#ifndef EK_OPERATION_H
#define EK_OPERATION_H

#include "check.h"
#include "edgekit.h"

/* A fuzzer's bytes until they end, zeros after that; or, without bytes, random numbers, which are
 * recorded as bytes that a fuzzer draws the same case from. */
typedef struct {
    const uint8_t *bytes;
    size_t left;
    uint64_t state;
    FILE *record; /* or NULL */
} source;

static inline void record(const source *from, uint32_t word)
{
    for (int i = 0; from->record && i < 4; i++)
        fputc((int)(word >> 8 * i & 0xff), from->record);
}

static inline uint32_t draw(source *from)
{
    uint32_t word = 0;
    if (from->state) {
        word = next_random(&from->state);
        record(from, word);
        return word;
    }
    for (int i = 0; i < 4 && from->left; i++, from->left--)
        word |= (uint32_t)*from->bytes++ << 8 * i;
    return word;
}

static inline int32_t draw_below(source *from, uint32_t end) { return (int32_t)(draw(from) % end); }

/* One in eight: a word as it comes, which is hardly ever sound. A generator draws it less often. */
static inline int draw_wild(source *from)
{
    if (!from->state)
        return draw(from) % 8 == 7;
    const int wild = next_random(&from->state) % 256 == 7;
    record(from, wild ? 7 : 0);
    return wild;
}

typedef struct {
    size_t in_bytes;
    size_t out_bytes;
    size_t work_bytes; /* a multiple of EK_ALIGNMENT */
    size_t units;      /* what time is told per */
} sizes;

typedef struct {
    const char *name;
    const char *unit;
    size_t out_value;       /* bytes of the values in the result: 8 and 4 are float */
    size_t (*draw)(source *from);                   /* bytes of the plan; 0 when refused */
    void (*usual)(void);                            /* instead of a draw: what is timed */
    int (*build)(void *plan, size_t bytes);         /* EK_OK */
    int (*measure)(const void *plan, int isa, sizes *found); /* 0: too large for a test */
    void (*fill)(source *from, void *input, size_t bytes);
    int64_t (*run)(const void *plan, int isa, const void *input, void *out, void *work);
    void (*check)(const void *plan, const void *input, const void *out); /* of portable; or NULL */
} operation;

extern const operation log_mel_operation, cepstra_operation, stream_operation, micro_operation,
    clamp_operation, image_operation, rolling_operation;

/* Equal but for what a NaN looks like, which is the processor's choice; values of 8 and 4 bytes are
 * float. */
int same_bits(size_t value_bytes, const void *a, const void *b, size_t bytes);

/* Draws a case and runs it everywhere; the process ends where bits differ. 0: nothing to run. */
int check_case(const operation *op, source *from);

/* Nanoseconds per unit, with portable C and each instruction set: the least of interleaved rounds. */
void time_usual(const operation *op);

/* Marks for edgekit/measure/devices/count.c after each of three runs with each instruction set. */
void mark_usual(const operation *op);

/* Samples of one kind: noise, edge values everywhere or now and then, any bits at all. */
void fill_floats(source *from, void *input, size_t bytes);
void fill_doubles(source *from, void *input, size_t bytes);
void fill_shorts(source *from, void *input, size_t bytes);
void fill_bytes(source *from, void *input, size_t bytes);

#endif
