/* The times of an operation's usual case, where its bits are compared too. */
#include <sys/syscall.h>
#include <time.h>

#include "operation.h"

enum { ROUNDS = 9, CALLS_NS = 4000000, MARK = 0x65646765 /* of the counting plugin */ };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef struct {
    const operation *op;
    void *plan, *in, *out, *work;
    sizes size;
} bench;

/* One round, a few milliseconds; nanoseconds per unit. */
static double round_of(const bench *b, int isa)
{
    const double start = now_ns();
    double passed = 0.0;
    long calls = 0;
    while (passed < CALLS_NS) {
        CHECK(b->op->run(b->plan, isa, b->in, b->out, b->work) >= 0, "%s", b->op->name);
        calls++;
        passed = now_ns() - start;
    }
    return passed / (double)calls / (double)b->size.units;
}

static void rounds_of(const bench *b)
{
    double least[EK_ISA_COUNT] = {0};
    for (int round = 0; round < ROUNDS; round++)
        for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
            const double took = round_of(b, isa);
            least[isa] = round == 0 || took < least[isa] ? took : least[isa];
        }
    printf("%-10s", b->op->name);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        printf("  %s %.1f (%.2fx)", ek_isa_name(isa), least[isa], least[EK_PORTABLE] / least[isa]);
    printf("  ns per %s\n", b->op->unit);
}

static bench prepared(const operation *op)
{
    source from = {.state = 5}; /* noise */
    bench b = {.op = op};
    op->usual();
    b.plan = aligned_new(1 << 18);
    CHECK(op->build(b.plan, 1 << 18) == EK_OK, "%s: no plan", op->name);
    CHECK(op->measure(b.plan, ek_best_isa(), &b.size), "%s", op->name);
    b.in = aligned_new(b.size.in_bytes);
    b.out = aligned_new(b.size.out_bytes);
    b.work = aligned_new(2 * b.size.work_bytes + (1 << 20));
    op->fill(&from, b.in, b.size.in_bytes);
    return b;
}

static void released(bench *b)
{
    free(b->plan);
    free(b->in);
    free(b->out);
    free(b->work);
}

void time_usual(const operation *op)
{
    bench b = prepared(op);
    rounds_of(&b);
    released(&b);
}

void mark_usual(const operation *op)
{
    bench b = prepared(op);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        for (int mark = 0; mark < 3; mark++) { /* the first run is a warm-up */
            CHECK(op->run(b.plan, isa, b.in, b.out, b.work) >= 0, "%s", op->name);
            syscall(SYS_getpriority, MARK, isa, mark);
        }
    printf("%s %zu %s\n", op->name, b.size.units, op->unit);
    released(&b);
}
