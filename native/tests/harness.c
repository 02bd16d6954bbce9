/* Every operation with every instruction set against portable C, on drawn cases; their times, marks by
 * which an emulator counts their instructions, or cases as files for a fuzzer to begin with.
 *
 *     harness [--bench | --mark | --seeds FOLDER] [--seed N] [--cases N] [operation ...]
 */
#include "operation.h"

static const operation *const operations[] = {
    &log_mel_operation, &cepstra_operation, &stream_operation, &micro_operation,
    &clamp_operation,   &image_operation,   &rolling_operation};

static int wanted(const operation *op, char **names)
{
    if (!*names)
        return 1;
    for (; *names; names++)
        if (strcmp(*names, op->name) == 0)
            return 1;
    return 0;
}

static void check_operation(const operation *op, uint64_t seed, long cases)
{
    source from = {.state = seed};
    long ran = 0;
    for (long i = 0; i < cases; i++)
        ran += check_case(op, &from);
    printf("%-10s %ld cases of %ld ran, up to %s\n", op->name, ran, cases,
           ek_isa_name(ek_best_isa()));
    CHECK(ran >= cases / 3, "%s: too many draws are refused to test anything", op->name);
}

/* FOLDER/OPERATION/seed-N, of which a fuzzer draws cases that are not refused. */
static void write_seeds(const operation *op, const char *folder, uint64_t seed, long cases)
{
    source from = {.state = seed};
    for (long i = 0; i < cases; i++) {
        char path[512];
        const int length = snprintf(path, sizeof path, "%s/%s/seed-%ld", folder, op->name, i);
        CHECK(length > 0 && (size_t)length < sizeof path, "%s is too long", folder);
        for (int ran = 0; !ran;) {
            from.record = fopen(path, "wb");
            CHECK(from.record, "%s cannot be written", path);
            ran = check_case(op, &from);
            CHECK(fclose(from.record) == 0, "%s cannot be written", path);
        }
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: harness [--bench | --mark | --seeds FOLDER] [--seed N] [--cases N] "
                    "[operation ...]; operations:");
    for (size_t i = 0; i < COUNT(operations); i++)
        fprintf(stderr, " %s", operations[i]->name);
    fputc('\n', stderr);
    return 2;
}

int main(int count, char **words)
{
    (void)count;
    long cases = 150;
    uint64_t seed = 1;
    const char *folder = NULL;
    int bench = 0, mark = 0, matched = 0;
    for (words++; *words && strncmp(*words, "--", 2) == 0; words++) {
        if (strcmp(*words, "--bench") == 0)
            bench = 1;
        else if (strcmp(*words, "--mark") == 0)
            mark = 1;
        else if (strcmp(*words, "--seeds") == 0 && words[1])
            folder = *++words;
        else if (strcmp(*words, "--seed") == 0 && words[1])
            seed = strtoull(*++words, NULL, 10) | 1;
        else if (strcmp(*words, "--cases") == 0 && words[1])
            cases = strtol(*++words, NULL, 10);
        else
            return usage();
    }
    for (size_t i = 0; i < COUNT(operations); i++)
        if (wanted(operations[i], words)) {
            matched = 1;
            if (mark)
                mark_usual(operations[i]);
            else if (bench)
                time_usual(operations[i]);
            else if (folder)
                write_seeds(operations[i], folder, seed, cases);
            else
                check_operation(operations[i], seed, cases);
        }
    return matched ? 0 : usage();
}
