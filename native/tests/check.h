/* What every C test needs: checks that say where, random numbers that repeat, guarded memory. */
#ifndef EK_CHECK_H
#define EK_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* xorshift64* (Vigna 2016). */
static inline uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* In -1..1, with 24 bits. */
static inline float next_float(uint64_t *state)
{
    return (float)((int32_t)next_random(state) >> 8) / 8388608.0f;
}

/* Memory between two pages that trap: `bytes` of it, ending at the page's end or starting at its
 * start, so that one byte too far in that direction ends the test. */
typedef struct {
    char *map;
    size_t map_bytes;
    size_t usable;
} guarded;

static inline guarded guarded_new(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t usable = (bytes + page) / page * page;
    guarded g = {NULL, usable + 2 * page, usable};
    g.map = mmap(NULL, g.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(g.map != MAP_FAILED, "no memory");
    CHECK(mprotect(g.map + page, usable, PROT_READ | PROT_WRITE) == 0, "no memory");
    return g;
}

static inline void *guarded_start(const guarded *g)
{
    return g->map + (g->map_bytes - g->usable) / 2;
}

static inline void *guarded_end(const guarded *g, size_t bytes)
{
    return (char *)guarded_start(g) + g->usable - bytes;
}

static inline void guarded_free(guarded *g) { munmap(g->map, g->map_bytes); }

/* Memory as the kernels want it, to be given to free(). */
static inline void *aligned_new(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes / 64 + 1) * 64);
    CHECK(memory, "no memory");
    return memory;
}

#endif
