/* Rolling statistics: against plain loops over each window, in every chunking, at guard pages. */
#include <math.h>

#include "check.h"
#include "edgekit.h"
#include "rolling.h"

enum { MOST_WINDOW = 200, MOST_SAMPLES = 900 };

static double sample_at(const ek_series *series, size_t which, size_t i)
{
    const char *at = (const char *)series->data + (ptrdiff_t)which * series->series_stride +
                     (ptrdiff_t)i * series->sample_stride;
    double d;
    float f;
    if (series->sample_type == EK_FLOAT64)
        return memcpy(&d, at, sizeof d), d;
    return memcpy(&f, at, sizeof f), (double)f;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the values that a window has; statistics of sums are not judged where one is infinite. */
typedef struct {
    double sorted[MOST_WINDOW];
    int count, nans, infinities;
    double mean, variance, slope;
    double largest; /* magnitude */
} facts;

static facts facts_of(const ek_rolling_config *config, const ek_series *series, size_t which,
                      size_t last)
{
    facts f = {.count = 0};
    double t_mean = 0.0, products = 0.0, spread = 0.0;
    const size_t first = last + 1 > (size_t)config->window ? last + 1 - (size_t)config->window : 0;
    for (size_t i = first; i <= last; i++) {
        const double x = sample_at(series, which, i);
        f.nans += isnan(x);
        f.infinities += isinf(x) != 0;
        if (!isnan(x))
            f.sorted[f.count++] = x;
        if (!isnan(x)) {
            f.mean += x;
            t_mean += (double)i;
            f.largest = fmax(f.largest, fabs(x));
        }
    }
    f.mean /= f.count;
    t_mean /= f.count;
    for (size_t i = first; i <= last; i++) {
        const double x = sample_at(series, which, i);
        if (isnan(x))
            continue;
        f.variance += (x - f.mean) * (x - f.mean);
        products += (x - f.mean) * ((double)i - t_mean);
        spread += ((double)i - t_mean) * ((double)i - t_mean);
    }
    f.variance /= f.count - config->ddof;
    f.slope = spread > 0.0 ? products / spread : NAN;
    qsort(f.sorted, (size_t)f.count, sizeof *f.sorted, by_value);
    return f;
}

static double quantile_of(const facts *f, double q)
{
    const double place = q * (f->count - 1);
    const int low = (int)place, high = low + 1 < f->count ? low + 1 : low;
    if (place == low)
        return f->sorted[low];
    return f->sorted[low] * (1.0 - (place - low)) + f->sorted[high] * (place - low);
}

static double entropy_of(const facts *f, const ek_rolling_config *config)
{
    double entropy = 0.0;
    for (int bin = 0; bin < config->bins; bin++) {
        int n = 0;
        for (int i = 0; i < f->count; i++) {
            const double place = (f->sorted[i] - config->low) * (config->bins / (config->high - config->low));
            n += (place < 1.0 ? 0 : place >= config->bins ? config->bins - 1 : (int)place) == bin;
        }
        entropy -= n ? (double)n / f->count * log((double)n / f->count) : 0.0;
    }
    return entropy;
}

static void near(double found, double wanted, double allowed, const char *what, size_t at)
{
    const int same = isnan(wanted) ? isnan(found) : found == wanted || fabs(found - wanted) <= allowed;
    CHECK(same, "%s at %zu: %.17g, not %.17g", what, at, found, wanted);
}

static double value_at(const void *out, int type, size_t i)
{
    return type == EK_FLOAT64 ? ((const double *)out)[i] : (double)((const float *)out)[i];
}

static void window_is_right(const ek_rolling_config *config, const ek_series *series, size_t which,
                            const void *out, size_t i)
{
    const facts f = facts_of(config, series, which, i);
    const int missing = f.count < config->min_samples ||
                        (f.nans && config->nan_policy == EK_NAN_PROPAGATE);
    const double x = sample_at(series, which, i), w = config->window;
    const double eps = series->sample_type == EK_FLOAT64 ? 1e-13 : 1e-6;
    const double e = eps * (f.largest + 1e-300), v = eps * w * (f.variance + e * e);
#define FOUND(row) value_at(out, series->sample_type, (which * ROWS + (size_t)(row)) * series->samples + i)
#define WANTED(value) (missing ? NAN : (value))
#define OF_SUMS(value) (missing || f.infinities ? NAN : (value))
    near(FOUND(0), OF_SUMS(f.mean), 4 * e, "mean", i);
    near(FOUND(1), OF_SUMS(f.variance), v, "variance", i);
    near(FOUND(2), OF_SUMS(sqrt(f.variance)), sqrt(w) * e + v, "std", i);
    if (f.variance > 1e-6 * f.largest * f.largest)
        near(FOUND(3), OF_SUMS((x - f.mean) / sqrt(f.variance)), 1e6 * eps, "z", i);
    near(FOUND(4), OF_SUMS(f.slope), 8 * w * e, "slope", i);
    near(FOUND(5), WANTED(f.sorted[0]), 0.0, "min", i);
    near(FOUND(6), WANTED(f.sorted[f.count ? f.count - 1 : 0]), 0.0, "max", i);
    near(FOUND(7), WANTED(entropy_of(&f, config)), 1e-6, "entropy", i);
    for (int q = 0; q < config->quantile_count; q++)
        if (!f.infinities)
            near(FOUND(9 + q), WANTED(quantile_of(&f, config->quantile[q])), 4 * e, "quantile", i);
}

/* In one call, and in chunks of any length; the same bits. */
static void run(const ek_rolling_plan *plan, int isa, const ek_series *series, void *out,
                uint64_t *chunks)
{
    const size_t state_bytes = ek_rolling_state_bytes(plan), size = value_bytes(series->sample_type);
    const size_t work_bytes = ek_rolling_scratch_bytes(plan);
    guarded states = guarded_new(state_bytes * series->series), work = guarded_new(work_bytes);
    char *state = guarded_end(&states, state_bytes * series->series);
    void *scratch = guarded_end(&work, work_bytes);
    for (size_t i = 0; i < series->series; i++)
        CHECK(ek_rolling_start(plan, state + i * state_bytes) == EK_OK, "start");
    size_t done = chunks ? 0 : series->samples;
    if (!chunks)
        CHECK(ek_rolling(plan, isa, state, 0, series, out, scratch) == EK_OK, "run");
    while (done < series->samples) {
        const size_t rest = series->samples - done, most = next_random(chunks) % 4 ? 20 : 800;
        const size_t wish = next_random(chunks) % most, count = wish < rest ? wish : rest;
        const size_t part_bytes = series->series * ROWS * count * size;
        ek_series part = *series;
        part.data = (const char *)series->data + (ptrdiff_t)done * series->sample_stride;
        part.samples = count;
        guarded result = guarded_new(part_bytes);
        char *found = guarded_end(&result, part_bytes);
        CHECK(ek_rolling(plan, isa, state, state_bytes, &part, found, scratch) == EK_OK, "chunk");
        for (size_t row = 0; row < series->series * ROWS && count; row++)
            memcpy((char *)out + (row * series->samples + done) * size, found + row * count * size,
                   count * size);
        guarded_free(&result);
        done += count;
    }
    guarded_free(&states);
    guarded_free(&work);
}

static void every_way_gives_the_same_bits(const ek_rolling_config *config, const ek_series *series)
{
    static char memory[1 << 16] __attribute__((aligned(64)));
    const ek_rolling_plan *plan = (const ek_rolling_plan *)memory;
    uint64_t chunks = 77;
    CHECK(ek_rolling_plan_build(config, memory, sizeof memory) == EK_OK, "plan");
    const size_t bytes = series->series * ROWS * series->samples * value_bytes(series->sample_type);
    guarded result = guarded_new(bytes);
    char *out = guarded_end(&result, bytes), *portable = malloc(bytes + 1);
    for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++)
        for (int in_chunks = 0; in_chunks < 2; in_chunks++) {
            run(plan, isa, series, out, in_chunks ? &chunks : NULL);
            if (isa == EK_PORTABLE && !in_chunks)
                memcpy(portable, out, bytes);
            CHECK(memcmp(portable, out, bytes) == 0, "%s %s differs, window %d", ek_isa_name(isa),
                  in_chunks ? "in chunks" : "at once", config->window);
        }
    for (size_t which = 0; which < series->series; which++)
        for (size_t i = 0; i < series->samples; i++)
            window_is_right(config, series, which, portable, i);
    free(portable);
    guarded_free(&result);
}

/* Noise, steps, ramps, ties, huge values before small ones; NaN and infinities now and then. */
static double next_sample(uint64_t *state, int kind, size_t i)
{
    const double noise = (double)next_float(state);
    if (kind >= 4 && next_random(state) % 32 == 0)
        return kind == 4 ? NAN : next_random(state) % 4 ? NAN : noise > 0 ? INFINITY : -INFINITY;
    switch (kind % 4) {
    case 0: return noise;
    case 1: return (double)(int)(noise * 3.0);
    case 2: return 1e3 + 0.25 * (double)i + noise;
    default: return i % 301 == 7 ? 1e6 * noise : noise * 0x1p-10;
    }
}

static void one_case(uint64_t *state)
{
    ek_rolling_config config = everything();
    config.window = 2 + (int32_t)(next_random(state) % (next_random(state) % 2 ? 20 : MOST_WINDOW - 1));
    config.min_samples = next_random(state) % 2 ? config.window : 1 + (int32_t)(next_random(state) % (uint32_t)config.window);
    config.nan_policy = (int32_t)(next_random(state) % 2);
    config.ddof = config.min_samples > 1 ? (int32_t)(next_random(state) % 2) : 0;
    config.ewma_adjust = (int32_t)(next_random(state) % 2);
    const int kind = (int)(next_random(state) % 6), type = next_random(state) % 2 ? EK_FLOAT64 : EK_FLOAT32;
    const size_t size = value_bytes(type), step = 1 + next_random(state) % 2, number = 1 + next_random(state) % 2;
    const size_t samples = next_random(state) % MOST_SAMPLES;
    const size_t bytes = number * samples * step * size;
    guarded memory = guarded_new(bytes);
    char *data = guarded_end(&memory, bytes);
    for (size_t i = 0; i < number * samples * step; i++) {
        const double x = next_sample(state, kind, i);
        const float narrow = (float)x;
        memcpy(data + i * size, type == EK_FLOAT64 ? (const void *)&x : &narrow, size);
    }
    const ek_series series = {data + (step - 1) * size, (ptrdiff_t)(step * size),
                              (ptrdiff_t)(samples * step * size), samples, number, type};
    every_way_gives_the_same_bits(&config, &series);
    guarded_free(&memory);
}

/* Zeros of both signs, denormals, the largest numbers: the same bits whatever they are. */
static void extreme_values_give_the_same_bits(void)
{
    static const double values[] = {0.0, -0.0, 4.9e-324, -4.9e-324, 2.2e-308, 1e-160, 1.0, -1.0,
                                    1e160, -1e160, 1.7e308, -1.7e308};
    uint64_t state = 9;
    double samples[500];
    for (size_t i = 0; i < COUNT(samples); i++)
        samples[i] = values[next_random(&state) % COUNT(values)];
    static char memory[1 << 16] __attribute__((aligned(64)));
    const ek_rolling_plan *plan = (const ek_rolling_plan *)memory;
    const ek_series series = {samples, 8, 0, COUNT(samples), 1, EK_FLOAT64};
    double *outs[2] = {malloc(ROWS * sizeof samples), malloc(ROWS * sizeof samples)};
    for (int32_t window = 2; window < 90; window += 3) {
        ek_rolling_config config = everything();
        config.window = config.min_samples = window;
        CHECK(ek_rolling_plan_build(&config, memory, sizeof memory) == EK_OK, "plan");
        for (int isa = EK_PORTABLE; isa <= ek_best_isa(); isa++) {
            run(plan, isa, &series, outs[isa != EK_PORTABLE], isa % 2 ? &state : NULL);
            for (size_t i = 0; i < ROWS * COUNT(samples); i++)
                CHECK(same_value(outs[0][i], outs[isa != EK_PORTABLE][i]), "%s, window %d, row %zu",
                      ek_isa_name(isa), window, i / COUNT(samples));
        }
        for (size_t i = 0; i < COUNT(samples); i++)
            CHECK(!(outs[0][COUNT(samples) + i] < 0.0), "variance %g", outs[0][COUNT(samples) + i]);
    }
    free(outs[0]);
    free(outs[1]);
}

int main(void)
{
    uint64_t state = 21;
    for (int i = 0; i < 250; i++)
        one_case(&state);
    extreme_values_give_the_same_bits();
    return 0;
}
