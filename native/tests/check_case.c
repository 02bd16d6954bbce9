/* A case at guard pages: every instruction set, input and output at both ends, the bits of portable. */
#include "operation.h"

typedef struct {
    guarded plan, in, out, work;
    const void *ready;
} room;

int same_bits(size_t value_bytes, const void *a, const void *b, size_t bytes)
{
    if (memcmp(a, b, bytes) == 0)
        return 1;
    for (size_t i = 0; i + value_bytes <= bytes; i += value_bytes) {
        const char *here = (const char *)a + i, *there = (const char *)b + i;
        double x = 0.0, y = 0.0;
        float f = 0.0f, g = 0.0f;
        if (memcmp(here, there, value_bytes) == 0)
            continue;
        memcpy(value_bytes == 8 ? (void *)&x : &f, here, value_bytes);
        memcpy(value_bytes == 8 ? (void *)&y : &g, there, value_bytes);
        if (value_bytes < 4 || (x == x && f == f) || (y == y && g == g))
            return 0;
    }
    return 1;
}

static void *placed(const guarded *g, size_t bytes, int at_end)
{
    return at_end ? guarded_end(g, bytes) : guarded_start(g);
}

/* Before the result lies what must stay as it is. */
static int untouched(const char *start, const char *out)
{
    for (const char *at = start; at < out; at++)
        if (*at != 0x5a)
            return 0;
    return 1;
}

static void run_at(const operation *op, const room *r, int isa, int at_end, const void *given,
                   const sizes *s, char *expected)
{
    const int first = isa == EK_PORTABLE && !at_end;
    void *in = placed(&r->in, s->in_bytes, at_end);
    char *out = placed(&r->out, s->out_bytes, at_end);
    void *work = guarded_end(&r->work, s->work_bytes);
    memmove(in, given, s->in_bytes);
    memset(guarded_start(&r->out), 0x5a, r->out.usable);
    memset(work, isa + at_end, s->work_bytes); /* what was there before has no say */
    const int64_t status = op->run(r->ready, isa, in, out, work);
    CHECK(status >= 0, "%s with %s: status %d", op->name, ek_isa_name(isa), (int)status);
    CHECK(untouched(guarded_start(&r->out), out), "%s with %s wrote before its output", op->name,
          ek_isa_name(isa));
    if (first)
        memcpy(expected, out, s->out_bytes);
    if (first && op->check)
        op->check(r->ready, in, out);
    CHECK(same_bits(op->out_value, expected, out, s->out_bytes), "%s: %s differs from portable",
          op->name, ek_isa_name(isa));
}

static room made(const operation *op, size_t plan_bytes)
{
    const size_t aligned = (plan_bytes + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT;
    room r = {.plan = guarded_new(aligned)};
    void *at = guarded_end(&r.plan, aligned);
    CHECK(op->build(at, plan_bytes) == EK_OK, "%s: no plan", op->name);
    CHECK(mprotect(guarded_start(&r.plan), r.plan.usable, PROT_READ) == 0, "read-only");
    r.ready = at;
    return r;
}

static int run_everywhere(const operation *op, room *r, source *from)
{
    sizes s;
    if (!op->measure(r->ready, EK_PORTABLE, &s))
        return 0;
    char *given = malloc(s.in_bytes + 1), *expected = malloc(s.out_bytes + 1);
    CHECK(given && expected, "no memory");
    op->fill(from, given, s.in_bytes);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
        CHECK(op->measure(r->ready, isa, &s), "%s", ek_isa_name(isa));
        r->in = guarded_new(s.in_bytes);
        r->out = guarded_new(s.out_bytes);
        r->work = guarded_new(s.work_bytes);
        for (int at_end = 0; at_end < 2; at_end++)
            run_at(op, r, isa, at_end, given, &s, expected);
        guarded_free(&r->in);
        guarded_free(&r->out);
        guarded_free(&r->work);
    }
    free(given);
    free(expected);
    return 1;
}

int check_case(const operation *op, source *from)
{
    const size_t plan_bytes = op->draw(from);
    if (!plan_bytes)
        return 0;
    room r = made(op, plan_bytes);
    const int ran = run_everywhere(op, &r, from);
    guarded_free(&r.plan);
    return ran;
}
