/* Log-mel in sixteen lanes, compiled for any CPU, against portable C, at guard pages: what a CPU with
 * AVX-512 runs is tested without one. The harness has the instruction sets that are here. */
#include <float.h>
#include <math.h>

#include "check.h"
#include "operations.h"
#include "presets.h"

EK_DECLARE(lanes16)

enum { MOST_SAMPLES = 6400 };

typedef struct {
    const char *name;
    ek_log_mel_operations operations;
} version;

static size_t versions(version *found)
{
    ek_operations operations;
    CHECK(ek_operations_for(EK_PORTABLE, &operations), "portable");
    found[0] = (version){"portable", operations.log_mel};
    found[1] = (version){"lanes16", EK_FILL_LOG_MEL(lanes16)};
    return 2;
}

typedef struct {
    guarded memory;
    const ek_log_mel_plan *plan;
} planned;

/* The plan lies at the end of a page and is read-only afterwards. */
static planned plan_for(const ek_log_mel_config *config)
{
    const size_t bytes = ek_log_mel_plan_bytes(config);
    CHECK(bytes != 0 && bytes % EK_ALIGNMENT == 0, "%zu bytes", bytes);
    planned p = {guarded_new(bytes), NULL};
    void *at = guarded_end(&p.memory, bytes);
    CHECK(ek_log_mel_plan_build(config, at, bytes) == EK_OK, "plan");
    CHECK(mprotect(guarded_start(&p.memory), p.memory.usable, PROT_READ) == 0, "read-only");
    p.plan = at;
    return p;
}

static void fill(void *samples, int type, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        if (type == EK_INT16)
            ((int16_t *)samples)[i] = (int16_t)(next_random(state) >> 16);
        else
            ((float *)samples)[i] = next_float(state) * 30000.0f;
}

/* In groups, or frame by frame. */
static void run(const ek_log_mel_operations *operations, int ones, const ek_log_mel_plan *plan,
                const ek_log_mel_job *job)
{
    ek_log_mel_operation *operation = ones ? operations->one : operations->group;
    for (size_t f = 0; f < job->frames; f += ones ? 1 : (size_t)operations->lanes)
        operation(plan, job, f);
}

/* Runs one version with input, output and scratch at the ends of pages. */
static void run_guarded(const version *v, int ones, const ek_log_mel_plan *plan,
                        ek_log_mel_job job, float *result)
{
    const size_t sample_bytes = job.sample_type == EK_INT16 ? 2 : 4;
    const size_t in_bytes = job.sample_count * sample_bytes;
    const size_t out_bytes = job.frames * ek_log_mel_columns(plan) * sizeof(float);
    const size_t work_bytes =
        ek_log_mel_scratch_floats(plan, (size_t)v->operations.lanes) * sizeof(float);
    guarded in = guarded_new(in_bytes), out = guarded_new(out_bytes), work = guarded_new(work_bytes);
    const void *given = job.samples;
    job.scratch = guarded_end(&work, work_bytes);
    for (int at_end = 0; at_end < 2; at_end++) {
        void *samples = at_end ? guarded_end(&in, in_bytes) : guarded_start(&in);
        memcpy(samples, given, in_bytes);
        job.samples = samples;
        job.out = at_end ? guarded_end(&out, out_bytes) : guarded_start(&out);
        run(&v->operations, ones, plan, &job);
        CHECK(at_end == 0 || memcmp(result, job.out, out_bytes) == 0, "%s: alignment", v->name);
        memcpy(result, job.out, out_bytes);
    }
    guarded_free(&in);
    guarded_free(&out);
    guarded_free(&work);
}

static void versions_agree(const ek_log_mel_plan *plan, const void *samples, int type, size_t count)
{
    static float expected[MOST_SAMPLES * 2], found[MOST_SAMPLES * 2];
    version all[2];
    const size_t many = versions(all);
    CHECK(all[0].operations.lanes == 1, "%s is portable", all[0].name);
    const ek_log_mel_job job = {.samples = samples, .sample_type = type, .sample_count = count,
                                .readable = count, .frames = ek_log_mel_frames(plan, count),
                                .before = plan->before, .raw = 1};
    const size_t bytes = job.frames * ek_log_mel_columns(plan) * sizeof(float);
    CHECK(bytes <= sizeof expected, "%zu", bytes);
    run_guarded(&all[0], 0, plan, job, expected);
    for (size_t i = 0; i < many; i++)
        for (int ones = 0; ones <= ek_log_mel_fits_one(plan); ones++) {
            run_guarded(&all[i], ones, plan, job, found);
            CHECK(memcmp(expected, found, bytes) == 0, "%s: %zu samples differ, %s", all[i].name,
                  count, ones ? "frame by frame" : "in groups");
        }
}

static void every_length_agrees(const ek_log_mel_plan *plan)
{
    static float samples[MOST_SAMPLES];
    uint64_t state = 1;
    const int32_t length = plan->config.frame_samples, hop = plan->config.hop_samples;
    const size_t most = (size_t)(length + 17 * hop + 3);
    for (int type = EK_FLOAT32; type <= EK_INT16; type++)
        for (size_t count = 1; count < most; count += 1 + count / 37) {
            fill(samples, type, count, &state);
            versions_agree(plan, samples, type, count);
        }
}

static void values_at_the_edges_agree(const ek_log_mel_plan *plan)
{
    static const float edges[] = {0.0f, -0.0f, FLT_MIN, 1e-45f, -1e-40f, FLT_MAX, -FLT_MAX, 1e19f,
                                  INFINITY, -INFINITY, NAN, -NAN, 32767.0f, -32768.0f};
    static float samples[MOST_SAMPLES];
    uint64_t state = 7;
    for (size_t edge = 0; edge < COUNT(edges); edge++)
        for (int round = 0; round < 3; round++) { /* everywhere, once, now and then */
            for (size_t i = 0; i < 1500; i++) {
                const int here = round == 0 || (round == 1 ? i == 700 : next_random(&state) % 97 == 0);
                samples[i] = here ? edges[edge] : next_float(&state);
            }
            versions_agree(plan, samples, EK_FLOAT32, plan->config.fft_samples > 2 ? 1500 : 50);
        }
}

int main(void)
{
    for (size_t i = 0; i < COUNT(presets); i++) {
        planned p = plan_for(presets[i]);
        every_length_agrees(p.plan);
        values_at_the_edges_agree(p.plan);
        guarded_free(&p.memory);
    }
    return 0;
}
