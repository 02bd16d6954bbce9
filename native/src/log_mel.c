#include <math.h>

#include "operations.h"

static int64_t samples_before(const ek_log_mel_plan *plan)
{
    return plan->config.framing == EK_FRAMES_CENTRED ? plan->config.fft_samples / 2 : 0;
}

size_t ek_log_mel_frames(const ek_log_mel_plan *plan, size_t sample_count)
{
    if (!plan)
        return 0;
    const size_t hop = (size_t)plan->config.hop_samples;
    if (plan->config.framing == EK_FRAMES_CENTRED) /* Whisper drops the frame at the very end */
        return sample_count > (size_t)samples_before(plan) ? sample_count / hop : 0;
    const size_t length = (size_t)plan->config.frame_samples;
    return sample_count < length ? 0 : 1 + (sample_count - length) / hop;
}

int ek_log_mel_fits_one(const ek_log_mel_plan *plan)
{
    return plan->config.fft_samples % 16 == 0 && plan->config.fft_samples >= 64;
}

/* A group: the rows of the transform, then the samples, or their power in their place. One frame: see its workspace. */
size_t ek_log_mel_scratch_floats(const ek_log_mel_plan *plan, size_t lanes)
{
    const size_t length = (size_t)plan->config.frame_samples, fft = (size_t)plan->config.fft_samples;
    const size_t span = (lanes - 1) * (size_t)plan->config.hop_samples + length;
    const size_t bins = lanes * (fft / 2 + 4), samples = 2 * span + 16 * lanes + 64;
    const size_t group = lanes * fft + (bins > samples ? bins : samples);
    const size_t one = 4 * fft + length + 1536;
    return ((group > one ? group : one) + 15) / 16 * 16;
}

size_t ek_log_mel_scratch_bytes(const ek_log_mel_plan *plan, int isa)
{
    ek_operations operations;
    if (!plan || !ek_operations_for(isa, &operations))
        return 0;
    return ek_log_mel_scratch_floats(plan, (size_t)operations.log_mel.lanes) * sizeof(float);
}

/* Groups of frames; the last few, which would leave most lanes empty, one by one. */
static void run(const ek_log_mel_operations *operations, const ek_log_mel_plan *plan,
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
    run(&operations.log_mel, plan,
        &(ek_log_mel_job){samples, sample_type, sample_count, frames, samples_before(plan), out,
                          scratch});
    return EK_OK;
}

/* The largest value; NaN when there is one. */
static float largest(const float *values, size_t count)
{
    float most = values[0];
    for (size_t i = 1; i < count; i++)
        if (!(values[i] <= most) && !isnan(most))
            most = values[i];
    return most;
}

int ek_clamp_range(float *values, size_t count, float range, float offset, float scale)
{
    if (count == 0)
        return EK_OK;
    if (!values)
        return EK_BAD_ARGUMENT;
    const float most = largest(values, count);
    const float least = most - range;
    for (size_t i = 0; i < count; i++) {
        const float clamped = values[i] < least ? least : values[i];
        values[i] = isnan(most) ? most : (clamped + offset) * scale;
    }
    return EK_OK;
}
