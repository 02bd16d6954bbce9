/* A fault in each kernel, to see that the harness and the goldens find it: linked in front of one
 * instruction set's kernels (--wrap), it changes the lowest bit of one value, or reads a byte behind
 * the input. EK_PLANT in the environment says where. */
#include "check.h"
#include "operations.h"

#define JOIN(prefix, name, isa) prefix##name##isa
#define NAMED(prefix, name, isa) JOIN(prefix, name, isa)
/* The kernel, and what stands in front of it. */
#define REAL(name) NAMED(__real_, name, EK_PLANTED)
#define WRAP(name) NAMED(__wrap_, name, EK_PLANTED)

static int planted(const char *what)
{
    const char *wanted = getenv("EK_PLANT");
    return wanted && strcmp(wanted, what) == 0;
}

static void change(void *value) { *(char *)value ^= 1; }

ek_log_mel_operation REAL(ek_log_mel_group_), REAL(ek_log_mel_one_), WRAP(ek_log_mel_group_),
    WRAP(ek_log_mel_one_);

void WRAP(ek_log_mel_group_)(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame)
{
    REAL(ek_log_mel_group_)(plan, job, frame);
    if (planted("log_mel"))
        change(job->out + frame * (size_t)plan->columns);
    const size_t each = job->sample_type == EK_INT16 ? 2 : 4;
    if (planted("reach"))
        (void)((const volatile char *)job->samples)[job->sample_count * each];
}

void WRAP(ek_log_mel_one_)(const ek_log_mel_plan *plan, const ek_log_mel_job *job, size_t frame)
{
    REAL(ek_log_mel_one_)(plan, job, frame);
    if (planted("stream"))
        change(job->out + frame * (size_t)plan->columns);
}

ek_cepstra_operation REAL(ek_log_mel_cepstra_), WRAP(ek_log_mel_cepstra_);

void WRAP(ek_log_mel_cepstra_)(const ek_log_mel_plan *plan, const float *levels, size_t rows, float *out)
{
    REAL(ek_log_mel_cepstra_)(plan, levels, rows, out);
    if (planted("cepstra") && rows)
        change(out);
}

ek_micro_operation REAL(ek_micro_spectrum_), WRAP(ek_micro_spectrum_);

void WRAP(ek_micro_spectrum_)(const ek_micro_plan *plan, const int16_t *samples, uint32_t *channels,
                              int32_t *scratch)
{
    REAL(ek_micro_spectrum_)(plan, samples, channels, scratch);
    if (planted("micro"))
        change(channels);
}

EK_IMAGE_SUM_COLUMNS(REAL(ek_image_sum_columns_));
EK_IMAGE_SUM_COLUMNS(WRAP(ek_image_sum_columns_));

EK_IMAGE_SUM_COLUMNS(WRAP(ek_image_sum_columns_))
{
    REAL(ek_image_sum_columns_)(sum, out);
    if (planted("image"))
        change(out[0]);
}

EK_ROLLING_FINISH(REAL(ek_rolling_finish_));
EK_ROLLING_FINISH(WRAP(ek_rolling_finish_));

EK_ROLLING_FINISH(WRAP(ek_rolling_finish_))
{
    REAL(ek_rolling_finish_)(stretch);
    if (planted("rolling") && stretch->row[EK_ROLLING_MEAN] && stretch->count)
        change(stretch->row[EK_ROLLING_MEAN]);
}
