/* The lines of goldens.txt: a case, a digest of its result's bits, and a few of its values to read. */
#ifndef EK_GOLDEN_H
#define EK_GOLDEN_H

#include <stddef.h>

typedef struct {
    char *text;
    size_t used, room;
} golden_lines;

/* One line: `count` values of an EK_ type. Every NaN counts as the same: what one looks like is the
 * processor's choice. The name is formatted. */
void golden_add(golden_lines *to, int type, const void *values, size_t count, const char *name, ...)
    __attribute__((format(printf, 5, 6)));

/* Cases with one instruction set. */
void golden_log_mel(golden_lines *to, int isa);
void golden_micro(golden_lines *to, int isa);
void golden_image(golden_lines *to, int isa);
void golden_rolling(golden_lines *to, int isa);

#endif
