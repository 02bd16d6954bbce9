/* Instruction sets that this CPU lacks: refused by every operation, and not without reason, for their
 * kernels end the process here. An argument names the best one that there should be.
 *
 *     qemu-x86_64 -cpu Nehalem test_dispatch sse2
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check.h"
#include "micro_presets.h"
#include "operations.h"
#include "presets.h"
#include "rolling.h"

typedef struct {
    void *plan, *work;
    float *out;
} room;

static room room_for(size_t plan_bytes)
{
    const room r = {aligned_new(plan_bytes), aligned_new(1 << 20), aligned_new(1 << 16)};
    memset(r.out, 0x5a, 1 << 16);
    return r;
}

static void still_untouched(room *r, const char *what)
{
    for (size_t i = 0; i < 1 << 16; i++)
        CHECK(((const char *)r->out)[i] == 0x5a, "%s wrote at %zu", what, i);
    free(r->plan);
    free(r->work);
    free(r->out);
}

static const float samples[800];

static void log_mel_refuses(int isa)
{
    const size_t bytes = ek_log_mel_plan_bytes(&cepstra_13);
    room r = room_for(bytes);
    CHECK(ek_log_mel_plan_build(&cepstra_13, r.plan, bytes) == EK_OK, "plan");
    CHECK(ek_log_mel_scratch_bytes(r.plan, isa) == 0, "%d", isa);
    CHECK(ek_log_mel_stream_bytes(r.plan, isa) == 0, "%d", isa);
    CHECK(ek_log_mel(r.plan, isa, samples, EK_FLOAT32, 800, r.out, r.work) == EK_BAD_ISA, "%d", isa);
    CHECK(ek_log_mel_stream_start(r.plan, isa, r.work, 1 << 20) == EK_BAD_ISA, "%d", isa);
    CHECK(ek_log_mel_cepstra(r.plan, isa, samples, 2, r.out) == EK_BAD_ISA, "%d", isa);
    still_untouched(&r, "log-mel");
}

static void micro_refuses(int isa)
{
    const size_t bytes = ek_micro_plan_bytes(&micro_40);
    room r = room_for(bytes);
    CHECK(ek_micro_plan_build(&micro_40, r.plan, bytes) == EK_OK, "plan");
    CHECK(ek_micro_stream_start(r.plan, isa, r.work, 1 << 20) == EK_BAD_ISA, "%d", isa);
    still_untouched(&r, "the fixed-point front end");
}

static void images_refuse(int isa)
{
    static const uint8_t pixels[12];
    const ek_tensor_config config = {.width = 2, .height = 2, .source = {0, 1, 2}, .scale = {1, 1, 1}};
    const ek_image image = {.data = pixels, .row_stride = 6, .column_stride = 3,
                            .channel_stride = 1, .width = 2, .height = 2};
    const size_t bytes = ek_image_plan_bytes(&config, &image);
    room r = room_for(bytes);
    CHECK(ek_image_tensor(&config, isa, &image, r.out, r.work) == EK_BAD_ISA, "%d", isa);
    CHECK(ek_image_plan_build(&config, &image, r.plan, bytes) == EK_OK, "plan");
    CHECK(ek_image_run(r.plan, isa, pixels, NULL, NULL, r.out, r.work) == EK_BAD_ISA, "%d", isa);
    still_untouched(&r, "an image");
}

static void rolling_refuses(int isa)
{
    const ek_rolling_config config = everything();
    const ek_series series = {samples, 4, 0, 100, 1, EK_FLOAT32};
    const size_t bytes = ek_rolling_plan_bytes(&config);
    room r = room_for(bytes);
    CHECK(ek_rolling_plan_build(&config, r.plan, bytes) == EK_OK, "plan");
    void *state = aligned_new(ek_rolling_state_bytes(r.plan));
    CHECK(ek_rolling_start(r.plan, state) == EK_OK, "start");
    CHECK(ek_rolling(r.plan, isa, state, 0, &series, r.out, r.work) == EK_BAD_ISA, "%d", isa);
    free(state);
    still_untouched(&r, "rolling statistics");
}

/* What is compiled in, by its number. */
static const ek_log_mel_operations *kernels(void)
{
    static ek_log_mel_operations all[EK_ISA_COUNT];
#ifdef EK_HAVE_SSE2
    all[EK_SSE2] = EK_FILL_LOG_MEL(sse2);
#endif
#ifdef EK_HAVE_AVX2
    all[EK_AVX2] = EK_FILL_LOG_MEL(avx2);
#endif
#ifdef EK_HAVE_AVX512
    all[EK_AVX512] = EK_FILL_LOG_MEL(avx512);
#endif
#ifdef EK_HAVE_NEON
    all[EK_NEON] = EK_FILL_LOG_MEL(neon);
#endif
#ifdef EK_HAVE_SVE256
    if (!(ek_cpu_features() & EK_CPU_SVE)) /* with vectors of another length it would be wrong */
        all[EK_SVE256] = EK_FILL_LOG_MEL(sve256);
#endif
    return all;
}

/* What a dispatch that asks no CPU would do. */
static void run_without_asking(int isa)
{
    static float work[1 << 15] __attribute__((aligned(64))), out[80];
    const size_t bytes = ek_log_mel_plan_bytes(&kaldi_80);
    void *plan = aligned_new(bytes);
    CHECK(ek_log_mel_plan_build(&kaldi_80, plan, bytes) == EK_OK, "plan");
    const ek_log_mel_job job = {.samples = samples, .sample_type = EK_FLOAT32, .sample_count = 400,
                                .readable = 400, .frames = 1, .raw = 1, .out = out,
                                .scratch = work};
    kernels()[isa].group(plan, &job, 0);
    free(plan);
}

static void its_kernel_ends_the_process(int isa)
{
    int status;
    const pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        run_without_asking(isa);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child, "wait");
    printf("%s, not asked for: %s\n", ek_isa_name(isa), WIFSIGNALED(status) ? "ended" : "went on");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, "%s: %d", ek_isa_name(isa), status);
}

int main(int count, char **words)
{
    printf("up to %s\n", ek_isa_name(ek_best_isa()));
    CHECK(count < 2 || strcmp(words[1], ek_isa_name(ek_best_isa())) == 0, "not %s", words[1]);
    for (int isa = ek_best_isa() + 1; isa <= EK_ISA_COUNT; isa++) {
        log_mel_refuses(isa);
        micro_refuses(isa);
        images_refuse(isa);
        rolling_refuses(isa);
    }
    for (int isa = ek_best_isa() + 1; isa < EK_ISA_COUNT; isa++)
        if (kernels()[isa].group)
            its_kernel_ends_the_process(isa);
    return 0;
}
