/* Log-mel of a signal that comes in chunks. Samples are scaled into a buffer of bounded size, and
 * frames are computed from there as from a whole signal. */
#include <string.h>

#include "operations.h"
#include "samples.h"

enum { CHUNK_FRAMES = 32 }; /* that a full buffer gives at least: whole groups and some more */

struct ek_log_mel_stream {
    ek_log_mel_operations operations;
    int64_t received; /* samples */
    int64_t frames;   /* given */
    int64_t base;     /* index of the first sample in the buffer */
    size_t held;      /* samples in the buffer */
    size_t capacity;
    size_t scratch; /* its offset from the buffer, in floats */
    size_t readable; /* floats from the buffer on: with the scratch */
};

enum { HEADER_BYTES = (sizeof(ek_log_mel_stream) + EK_ALIGNMENT - 1) / EK_ALIGNMENT * EK_ALIGNMENT };

static float *buffer_of(ek_log_mel_stream *stream) { return (float *)((char *)stream + HEADER_BYTES); }

/* What stays: less than a frame and a hop, and as much as a mirror at the end looks back. */
static size_t capacity_for(const ek_log_mel_plan *plan)
{
    const size_t kept = (size_t)plan->config.frame_samples + 2;
    return (kept + (CHUNK_FRAMES + 1) * (size_t)plan->config.hop_samples + 15) / 16 * 16;
}

size_t ek_log_mel_stream_bytes(const ek_log_mel_plan *plan, int isa)
{
    const size_t scratch = ek_log_mel_scratch_bytes(plan, isa);
    return scratch == 0 ? 0 : HEADER_BYTES + capacity_for(plan) * sizeof(float) + scratch;
}

int ek_log_mel_stream_start(const ek_log_mel_plan *plan, int isa, void *memory, size_t bytes)
{
    ek_operations operations;
    if (!plan || !memory)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)plan % EK_ALIGNMENT != 0 || (uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    if (bytes < ek_log_mel_stream_bytes(plan, isa))
        return EK_BAD_ARGUMENT;
    const size_t capacity = capacity_for(plan);
    const size_t scratch = ek_log_mel_scratch_floats(plan, (size_t)operations.log_mel.lanes);
    *(ek_log_mel_stream *)memory = (ek_log_mel_stream){
        operations.log_mel, 0, 0, 0, 0, capacity, capacity, capacity + scratch};
    return EK_OK;
}

/* Frames of a whole signal. */
static int64_t all_frames(const ek_log_mel_config *config, int32_t before, int64_t count)
{
    const int64_t hop = config->hop_samples, length = config->frame_samples;
    if (config->framing == EK_FRAMES_WHOLE)
        return count < length ? 0 : 1 + (count - length) / hop;
    if (count == 0 || (config->padding == EK_PAD_REFLECT && (count <= before || count == 1)))
        return 0; /* nothing to mirror */
    if (config->framing == EK_FRAMES_HOPS)
        return (count + hop / 2) / hop;
    return count / hop + (config->framing == EK_FRAMES_CENTRED);
}

size_t ek_log_mel_stream_frames(const ek_log_mel_plan *plan, size_t sample_count, int last)
{
    if (!plan)
        return 0;
    const int64_t count = (int64_t)sample_count, most = all_frames(&plan->config, plan->before, count);
    const int64_t ended = count + plan->before - plan->config.frame_samples;
    if (last || most == 0)
        return (size_t)most;
    const int64_t ready = ended < 0 ? 0 : ended / plan->config.hop_samples + 1;
    return (size_t)(ready < most ? ready : most);
}

/* As many samples as there is room for; their number. */
static size_t take(const ek_log_mel_plan *plan, ek_log_mel_stream *stream, const ek_log_mel_job *job,
                   size_t from)
{
    const size_t room = stream->capacity - stream->held, left = job->sample_count - from;
    const size_t count = room < left ? room : left;
    float *out = buffer_of(stream) + stream->held;
    if (plan->config.dither != 0.0f) { /* whose noise counts from the start of the stream */
        for (size_t i = 0; i < count; i++)
            out[i] = sample_at_index(plan, job, (int64_t)(from + i),
                                     (uint64_t)stream->received + i);
    } else {
        convert(plan, job, (int64_t)from, (int64_t)(from + count), out);
    }
    stream->held += count;
    stream->received += (int64_t)count;
    return count;
}

/* What the next frames do not need goes. */
static void forget(const ek_log_mel_plan *plan, ek_log_mel_stream *stream)
{
    const int64_t next = stream->frames * plan->config.hop_samples - plan->before;
    const int64_t mirror = stream->received - plan->config.frame_samples - 1;
    const int64_t gone = (next < mirror ? next : mirror) - stream->base;
    float *buffer = buffer_of(stream);
    if (gone <= 0)
        return;
    stream->held -= (size_t)gone;
    stream->base += gone;
    memmove(buffer, buffer + gone, stream->held * sizeof *buffer);
}

/* Computes `frames` frames, which are known by now. */
static void give(const ek_log_mel_plan *plan, ek_log_mel_stream *stream, size_t frames, float *out)
{
    const int64_t hop = plan->config.hop_samples;
    float *buffer = buffer_of(stream);
    if (frames > 0)
        ek_log_mel_run(&stream->operations, plan,
                       &(ek_log_mel_job){buffer, EK_FLOAT32, stream->held, stream->readable, frames,
                                         stream->base + plan->before - stream->frames * hop, 0, out,
                                         buffer + stream->scratch});
    stream->frames += (int64_t)frames;
    forget(plan, stream);
}

/* Frames to compute now; whole groups while there are more samples to come. */
static size_t due(const ek_log_mel_plan *plan, const ek_log_mel_stream *stream, int more, int last)
{
    const size_t received = (size_t)stream->received;
    const size_t known = ek_log_mel_stream_frames(plan, received, last && !more);
    const size_t frames = known - (size_t)stream->frames;
    return more ? frames - frames % (size_t)stream->operations.lanes : frames;
}

int64_t ek_log_mel_stream_push(const ek_log_mel_plan *plan, ek_log_mel_stream *stream,
                               const void *samples, int sample_type, size_t sample_count, int last,
                               size_t room, float *out)
{
    if (!plan || !stream || (sample_type != EK_FLOAT32 && sample_type != EK_INT16) ||
        (sample_count != 0 && !samples) || (room != 0 && !out))
        return EK_BAD_ARGUMENT;
    const size_t total = (size_t)stream->received + sample_count;
    const size_t frames =
        ek_log_mel_stream_frames(plan, total, last) - (size_t)stream->frames;
    if (frames > room)
        return EK_BAD_ARGUMENT;
    const ek_log_mel_job job = {
        .samples = samples, .sample_type = sample_type, .sample_count = sample_count, .raw = 1};
    size_t taken = 0;
    do {
        taken += take(plan, stream, &job, taken);
        const size_t now = due(plan, stream, taken < sample_count, last);
        give(plan, stream, now, out);
        if (now > 0)
            out += now * (size_t)plan->columns;
    } while (taken < sample_count);
    return (int64_t)frames;
}

static int64_t ported(ek_port *port, const void *samples, int sample_type, size_t sample_count)
{
    const ek_log_mel_plan *plan = port->plan;
    const int64_t frames = ek_log_mel_stream_push(plan, port->stream, samples, sample_type,
                                                  sample_count, 0, port->room, port->out);
    if (frames > 0) {
        port->out += (size_t)frames * (size_t)plan->columns;
        port->room -= (size_t)frames;
    }
    return frames;
}

int64_t ek_log_mel_port_float32(ek_port *port, const void *samples, size_t sample_count)
{
    return port ? ported(port, samples, EK_FLOAT32, sample_count) : EK_BAD_ARGUMENT;
}

int64_t ek_log_mel_port_int16(ek_port *port, const void *samples, size_t sample_count)
{
    return port ? ported(port, samples, EK_INT16, sample_count) : EK_BAD_ARGUMENT;
}
