#include "operations.h"

size_t ek_log_mel_frames(const ek_log_mel_plan *plan, size_t sample_count)
{
    return plan ? ek_log_mel_stream_frames(plan, sample_count, 1) : 0;
}

size_t ek_log_mel_columns(const ek_log_mel_plan *plan) { return plan ? (size_t)plan->columns : 0; }

int ek_log_mel_fits_one(const ek_log_mel_plan *plan)
{
    return plan->config.fft_samples % 16 == 0 && plan->config.fft_samples >= 64;
}

/* A group: the rows of the transform, then the samples twice, or in their place their power, or the
 * cepstra. One frame: see its workspace. */
size_t ek_log_mel_scratch_floats(const ek_log_mel_plan *plan, size_t lanes)
{
    const size_t length = (size_t)plan->config.frame_samples;
    const size_t fft = (size_t)plan->config.fft_samples, hop = (size_t)plan->config.hop_samples;
    const size_t samples = 2 * ((lanes - 1) * hop + length) + 16 * lanes + 64;
    const size_t bins = lanes * (fft / 2 + 4), cepstra = lanes * ((size_t)plan->config.cepstra + 4);
    const size_t shared = bins > samples ? bins : samples;
    const size_t group = lanes * ek_log_mel_rows(plan) + (cepstra > shared ? cepstra : shared);
    const size_t one = 4 * fft + length + 2048;
    return ((group > one ? group : one) + 15) / 16 * 16;
}

size_t ek_log_mel_scratch_bytes(const ek_log_mel_plan *plan, int isa)
{
    ek_operations operations;
    if (!plan || !ek_operations_for(isa, &operations))
        return 0;
    return ek_log_mel_scratch_floats(plan, (size_t)operations.log_mel.lanes) * sizeof(float);
}

void ek_log_mel_run(const ek_log_mel_operations *operations, const ek_log_mel_plan *plan,
                    const ek_log_mel_job *job)
{
    const size_t lanes = (size_t)operations->lanes;
    const int ones = lanes > 1 && ek_log_mel_fits_one(plan);
    size_t frame = 0;
    for (; frame < job->frames && (!ones || 8 * (job->frames - frame) > 3 * lanes); frame += lanes)
        operations->group(plan, job, frame);
    for (; frame < job->frames; frame++)
        operations->one(plan, job, frame);
}

int ek_log_mel(const ek_log_mel_plan *plan, int isa, const void *samples, int sample_type,
               size_t sample_count, float *out, void *scratch)
{
    ek_operations operations;
    const size_t frames = ek_log_mel_frames(plan, sample_count);
    if (!plan || (sample_type != EK_FLOAT32 && sample_type != EK_INT16))
        return EK_BAD_ARGUMENT;
    if (frames != 0 && (!samples || !out || !scratch))
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)plan % EK_ALIGNMENT != 0 || (uintptr_t)scratch % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    if (frames == 0)
        return EK_OK;
    ek_log_mel_run(&operations.log_mel, plan,
                   &(ek_log_mel_job){samples, sample_type, sample_count, sample_count, frames,
                                     plan->before, 1, out, scratch});
    return EK_OK;
}

int ek_log_mel_cepstra(const ek_log_mel_plan *plan, int isa, const float *levels, size_t rows,
                       float *out)
{
    ek_operations operations;
    if (!plan || plan->config.cepstra == 0 || (rows != 0 && (!levels || !out)))
        return EK_BAD_ARGUMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    operations.log_mel.cepstra(plan, levels, rows, out);
    return EK_OK;
}
