/* Golden cases of rolling statistics: a line for each row of the result. */
#include <math.h>

#include "check.h"
#include "golden.h"
#include "rolling.h"

enum { SAMPLES = 1500, LONG_SAMPLES = 6000 };

typedef struct {
    const char *name; /* what is said of it besides its numbers */
    ek_rolling_config config;
    int type;
    size_t samples, chunk, series;
    ptrdiff_t step; /* from sample to sample */
    int gaps;       /* every so many values one is none; some are infinite */
} rolling_case;

/* Noise of a size that changes. */
static char *values_of(const rolling_case *c)
{
    const size_t count = c->samples * c->series * (size_t)(c->step < 0 ? -c->step : c->step);
    char *values = aligned_new(count * value_bytes(c->type));
    uint64_t state = 17;
    for (size_t i = 0; i < count; i++) {
        float narrow = next_float(&state) * (float)(i % 97);
        if (c->gaps && (int)i % c->gaps == 3)
            narrow = i % 5 ? NAN : i % 2 ? INFINITY : -INFINITY;
        const double wide = (double)narrow / 3.0;
        memcpy(values + i * value_bytes(c->type),
               c->type == EK_FLOAT64 ? (const void *)&wide : &narrow, value_bytes(c->type));
    }
    return values;
}

static ek_series series_of(const rolling_case *c, const char *values)
{
    const size_t size = value_bytes(c->type);
    const ptrdiff_t step = c->step * (ptrdiff_t)size, own = step * (ptrdiff_t)c->samples;
    const size_t back = step < 0 ? (size_t)-(own * (ptrdiff_t)c->series) - size : 0;
    return (ek_series){values + back, step, own, c->samples, c->series, c->type};
}

/* In chunks, each row of each series put together again. */
static void run(const rolling_case *c, const ek_rolling_plan *plan, int isa, char *out)
{
    const size_t size = value_bytes(c->type), rows = ROWS * c->series;
    const size_t each = ek_rolling_state_bytes(plan);
    char *values = values_of(c), *states = aligned_new(each * c->series);
    char *part_out = aligned_new(rows * c->samples * size);
    void *scratch = aligned_new(ek_rolling_scratch_bytes(plan));
    const ek_series all = series_of(c, values);
    for (size_t i = 0; i < c->series; i++)
        CHECK(ek_rolling_start(plan, states + i * each) == EK_OK, "start%s", c->name);
    for (size_t at = 0; at < c->samples; at += c->chunk) {
        ek_series part = all;
        part.data = (const char *)all.data + (ptrdiff_t)at * all.sample_stride;
        part.samples = c->samples - at < c->chunk ? c->samples - at : c->chunk;
        CHECK(ek_rolling(plan, isa, states, each, &part, part_out, scratch) == EK_OK, "run%s", c->name);
        for (size_t row = 0; row < rows; row++)
            memcpy(out + (row * c->samples + at) * size, part_out + row * part.samples * size,
                   part.samples * size);
    }
    free(values);
    free(states);
    free(part_out);
    free(scratch);
}

static void add(golden_lines *to, int isa, const rolling_case *c)
{
    static const char *const names[] = {"mean", "variance", "std", "z_score", "slope", "min", "max",
                                        "entropy", "ewma", "quantile 0", "quantile 0.1",
                                        "quantile 0.5", "quantile 0.77", "quantile 1"};
    const size_t bytes = ek_rolling_plan_bytes(&c->config), size = value_bytes(c->type);
    ek_rolling_plan *plan = aligned_new(bytes);
    char *out = aligned_new(ROWS * c->series * c->samples * size);
    CHECK(COUNT(names) == ROWS, "a row has no name");
    CHECK(ek_rolling_plan_build(&c->config, plan, bytes) == EK_OK, "plan%s", c->name);
    run(c, plan, isa, out);
    for (size_t row = 0; row < ROWS * c->series; row++)
        golden_add(to, c->type, out + row * c->samples * size, c->samples,
                   "rolling %s of %d %s%s%s", names[row % ROWS], (int)c->config.window,
                   c->type == EK_FLOAT64 ? "float64" : "float32", c->name, row / ROWS ? ", second" : "");
    free(plan);
    free(out);
}

static rolling_case case_of(const char *name, int32_t window, int type)
{
    rolling_case c = {name, everything(), type, SAMPLES, SAMPLES, 1, 1, 0};
    c.config.window = c.config.min_samples = window;
    return c;
}

static void lengths_and_chunks(golden_lines *to, int isa)
{
    static const int32_t windows[] = {3, 60, 500};
    for (size_t i = 0; i < COUNT(windows); i++)
        for (int wide = 0; wide < 2; wide++) {
            rolling_case c = case_of("", windows[i], wide ? EK_FLOAT64 : EK_FLOAT32);
            add(to, isa, &c);
        }
    rolling_case c = case_of(" one by one", 60, EK_FLOAT64);
    c.chunk = 1;
    add(to, isa, &c);
    c.name = " in chunks of 77";
    c.chunk = 77;
    add(to, isa, &c);
    c = case_of("", 5000, EK_FLOAT32);
    c.samples = c.chunk = LONG_SAMPLES;
    add(to, isa, &c);
}

static void policies_and_layouts(golden_lines *to, int isa)
{
    rolling_case c = case_of(", NaN propagates", 60, EK_FLOAT32);
    c.gaps = 191;
    add(to, isa, &c);
    c.name = ", NaN ignored, ddof 1";
    c.config.nan_policy = EK_NAN_IGNORE;
    c.config.min_samples = 5;
    c.config.ddof = 1;
    add(to, isa, &c);
    c = case_of(", NaN refused, EWMA not adjusted", 60, EK_FLOAT64);
    c.config.nan_policy = EK_NAN_ERROR;
    c.config.ewma_adjust = 0;
    add(to, isa, &c);
    c = case_of(" in chunks of 100, every other one backwards", 20, EK_FLOAT64);
    c.step = -2;
    c.series = 2;
    c.chunk = 100;
    add(to, isa, &c);
}

void golden_rolling(golden_lines *to, int isa)
{
    lengths_and_chunks(to, isa);
    policies_and_layouts(to, isa);
}
