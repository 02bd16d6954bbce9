/* The same bits on every machine: goldens.txt, written once and equal ever after. A change of its
 * lines is a change of every bundle's features.
 *
 *     test_golden goldens.txt              every instruction set that runs here gives those lines
 *     test_golden goldens.txt --update     write it anew
 */
#include <stdarg.h>

#include "check.h"
#include "edgekit.h"
#include "golden.h"

enum { ROOM = 1 << 18, SHOWN = 10, FEW = 4 };

static const char title[] =
    "# Results of the kernels, the same with every instruction set on every CPU: a case, a digest of\n"
    "# the bits of all its values, and the first value, two from between, the last.\n"
    "# Written by: make goldens-update\n";

static double value_of(int type, const void *values, size_t i)
{
    double wide;
    float narrow;
    uint16_t half;
    switch (type) {
    case EK_FLOAT64: return memcpy(&wide, (const double *)values + i, sizeof wide), wide;
    case EK_FLOAT32: return memcpy(&narrow, (const float *)values + i, sizeof narrow), (double)narrow;
    case EK_INT8: return ((const int8_t *)values)[i];
    case EK_UINT8: return ((const uint8_t *)values)[i];
    default: return memcpy(&half, (const uint16_t *)values + i, sizeof half), (double)half;
    }
}

static size_t bytes_of(int type)
{
    return type == EK_FLOAT64 ? 8 : type == EK_FLOAT32 ? 4 : type == EK_FLOAT16 ? 2 : 1;
}

/* A value's bits as a number: byte order is not the machine's. */
static uint64_t bits_of(int type, const void *values, size_t i)
{
    const double value = value_of(type, values, i);
    uint64_t wide;
    uint32_t narrow;
    if (value != value)
        return UINT64_C(0x7ff8000000000000);
    switch (type) {
    case EK_FLOAT64: return memcpy(&wide, &value, sizeof wide), wide;
    case EK_FLOAT32: return memcpy(&narrow, (const float *)values + i, sizeof narrow), narrow;
    default: return (uint64_t)(int64_t)value;
    }
}

/* FNV-1a, 64 bits, over the bytes of each value, the lowest first. */
static uint64_t digest(int type, const void *values, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = bits_of(type, values, i);
        for (size_t byte = 0; byte < bytes_of(type); byte++)
            hash = (hash ^ (bits >> 8 * byte & 0xff)) * UINT64_C(1099511628211);
    }
    return hash;
}

static void append(golden_lines *to, const char *format, va_list arguments)
{
    const int more = vsnprintf(to->text + to->used, to->room - to->used, format, arguments);
    CHECK(more >= 0 && (size_t)more < to->room - to->used, "%zu bytes are too few", to->room);
    to->used += (size_t)more;
}

__attribute__((format(printf, 2, 3))) static void append_text(golden_lines *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(to, format, arguments);
    va_end(arguments);
}

void golden_add(golden_lines *to, int type, const void *values, size_t count, const char *name, ...)
{
    va_list arguments;
    va_start(arguments, name);
    append(to, name, arguments);
    va_end(arguments);
    append_text(to, ": %016llx", (unsigned long long)digest(type, values, count));
    for (size_t i = 0; i < FEW && count; i++) {
        const double value = value_of(type, values, i * (count - 1) / (FEW - 1));
        if (value != value)
            append_text(to, " nan");
        else if (type == EK_FLOAT16)
            append_text(to, " 0x%04x", (unsigned)value);
        else
            append_text(to, " %.6g", value);
    }
    append_text(to, "\n");
}

static golden_lines lines_with(int isa)
{
    golden_lines lines = {calloc(ROOM, 1), 0, ROOM};
    CHECK(lines.text, "no memory");
    append_text(&lines, "%s", title);
    golden_log_mel(&lines, isa);
    golden_micro(&lines, isa);
    golden_image(&lines, isa);
    golden_rolling(&lines, isa);
    return lines;
}

/* Prints the lines that differ; how many there are. */
static int differences(const char *isa, const char *expected, const char *found)
{
    int count = 0;
    while (*expected || *found) {
        const size_t wanted = strcspn(expected, "\n"), got = strcspn(found, "\n");
        if (wanted != got || memcmp(expected, found, got) != 0)
            if (count++ < SHOWN)
                fprintf(stderr, "%s gives %.*s\n  not %.*s\n", isa, (int)got, found, (int)wanted,
                        expected);
        expected += wanted + (expected[wanted] != 0);
        found += got + (found[got] != 0);
    }
    return count;
}

static void update(const char *path, const golden_lines *lines)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(lines->text, 1, lines->used, file) == lines->used && fclose(file) == 0,
          "%s cannot be written", path);
}

static char *content_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file, "%s cannot be read", path);
    char *text = calloc(ROOM, 1);
    CHECK(text && fread(text, 1, ROOM - 1, file) < ROOM - 1, "%s is too large", path);
    fclose(file);
    return text;
}

int main(int count, char **words)
{
    const int updates = count == 3 && strcmp(words[2], "--update") == 0;
    int failures = 0, first = EK_PORTABLE;
    CHECK(count == 2 || updates, "usage: test_golden goldens.txt [--update]");
    golden_lines portable = {0};
    if (updates)
        portable = lines_with(first++);
    char *expected = updates ? portable.text : content_of(words[1]);
    for (int isa = first; isa <= ek_best_isa(); isa++) {
        golden_lines found = lines_with(isa);
        const int differ = differences(ek_isa_name(isa), expected, found.text);
        printf("%s: %d lines differ\n", ek_isa_name(isa), differ);
        failures += differ;
        free(found.text);
    }
    CHECK(failures == 0, "%d lines differ; a change that is meant: make goldens-update", failures);
    if (updates)
        update(words[1], &portable);
    free(expected);
    return 0;
}
