/* edgekit's kernels: portable C11, no allocation, no threads, no state.
 *
 * Every operation takes an instruction set. EK_PORTABLE runs everywhere and is the truth; the
 * others give the same bits, faster. Plans are built once into the caller's memory, hold no
 * pointers and are never written again, so threads and processes may share them. Plans and
 * scratch are aligned to EK_ALIGNMENT bytes; inputs and outputs need only the alignment of their
 * type. Results are 0 or one of the EK_BAD_ codes.
 */
#ifndef EDGEKIT_H
#define EDGEKIT_H

#include <stddef.h>
#include <stdint.h>

#ifndef EK_API
#define EK_API __attribute__((visibility("default")))
#endif

/* cffi reads from here to the end mark; edgekit/_native/generate.py. */
enum {
    EK_ALIGNMENT = 64,

    /* Results. */
    EK_OK = 0,
    EK_BAD_ARGUMENT = -1,
    EK_BAD_ALIGNMENT = -2,
    EK_BAD_ISA = -3,
    EK_BAD_SAMPLE = -4,

    /* Instruction sets. Within one architecture a larger number contains the smaller ones. */
    EK_PORTABLE = 0,
    EK_SSE2 = 1,
    EK_AVX2 = 2,
    EK_AVX512 = 3,
    EK_NEON = 1,
    EK_SVE256 = 2, /* SVE whose vectors have 32 bytes, no more and no less */
    EK_ISA_COUNT = 4,

    /* Sample types. */
    EK_FLOAT32 = 0,
    EK_INT16 = 1,
    EK_FLOAT64 = 2,
    EK_FLOAT16 = 3,
    EK_UINT8 = 4,
    EK_INT8 = 5,

    /* Windows; the periodic ones divide by their length, the others by one less. Povey is hann to
     * the power 0.85. */
    EK_WINDOW_POVEY = 0,
    EK_WINDOW_HANN_PERIODIC = 1,
    EK_WINDOW_HANN = 2,
    EK_WINDOW_HAMMING = 3,
    EK_WINDOW_HAMMING_PERIODIC = 4,
    EK_WINDOW_RECTANGULAR = 5,

    /* Mel scales: kaldi has triangles in mel, slaney and htk triangles in hertz. */
    EK_MEL_KALDI = 0,
    EK_MEL_SLANEY = 1,
    EK_MEL_HTK = 2,

    /* Frames: only whole ones; one around every multiple of the hop; the same but for the one at
     * the end, as Whisper; or, as Kaldi without snipped edges, one around the middle of each hop. */
    EK_FRAMES_WHOLE = 0,
    EK_FRAMES_CENTRED = 1,
    EK_FRAMES_CENTRED_BUT_LAST = 2,
    EK_FRAMES_HOPS = 3,

    /* What lies beyond the ends: the signal mirrored without the end samples or with them, zeros,
     * or the end sample again. */
    EK_PAD_REFLECT = 0,
    EK_PAD_SYMMETRIC = 1,
    EK_PAD_ZERO = 2,
    EK_PAD_EDGE = 3,

    EK_LOG_NATURAL = 0,
    EK_LOG_10 = 1,
    EK_LOG_DB = 2, /* 10 log10 of a power, 20 log10 of a magnitude */
    EK_LOG_NONE = 3,

    /* How a picture is resized: bilinear without antialiasing, the nearest pixel's centre, a triangle
     * as wide as a pixel of the result (but never narrower than the source's), the area it covers. */
    EK_BILINEAR = 0,
    EK_NEAREST = 1,
    EK_ANTIALIAS = 2,
    EK_AREA = 3,

    /* Axes of a tensor. */
    EK_CHW = 0,
    EK_HWC = 1,

    EK_BT601 = 0,
    EK_BT709 = 1,

    /* Statistics over a rolling window; the first five come from sums, the decaying mean has no
     * window, the quantiles have a place of their own. */
    EK_ROLLING_MEAN = 0,
    EK_ROLLING_VARIANCE = 1,
    EK_ROLLING_STD = 2,
    EK_ROLLING_Z_SCORE = 3,
    EK_ROLLING_SLOPE = 4,
    EK_ROLLING_MIN = 5,
    EK_ROLLING_MAX = 6,
    EK_ROLLING_ENTROPY = 7,
    EK_ROLLING_EWMA = 8,
    EK_ROLLING_KINDS = 9,
    EK_ROLLING_QUANTILES = 16,
    EK_ROLLING_MAX_WINDOW = 100000,
    EK_ROLLING_MAX_BINS = 4096,

    /* What a NaN does: makes NaN of every window it lies in, counts as missing, or is refused. */
    EK_NAN_PROPAGATE = 0,
    EK_NAN_IGNORE = 1,
    EK_NAN_ERROR = 2,
};

/* What the CPU and the operating system offer, as bits of ek_cpu_features(). */
enum {
    EK_CPU_SSE2 = 1 << 0,
    EK_CPU_AVX2 = 1 << 1,
    EK_CPU_AVX512 = 1 << 2,
    EK_CPU_AVX512_VNNI = 1 << 3,
    EK_CPU_AVX512_VBMI = 1 << 4,
    EK_CPU_ASIMD = 1 << 8,
    EK_CPU_FP16 = 1 << 9,
    EK_CPU_DOTPROD = 1 << 10,
    EK_CPU_I8MM = 1 << 11,
    EK_CPU_BF16 = 1 << 12,
    EK_CPU_SVE = 1 << 13,
    EK_CPU_SVE2 = 1 << 14,
    EK_CPU_SME = 1 << 15,
    EK_CPU_SVE256 = 1 << 16, /* this thread's SVE vectors have 32 bytes */
};

typedef struct {
    int32_t sample_rate_hz;
    int32_t frame_samples; /* at most fft_samples */
    int32_t window_samples; /* at most frame_samples; in the middle of the frame, zeros around it */
    int32_t hop_samples;
    int32_t fft_samples; /* even; half of it a product of 2, 3 and 5 */
    int32_t mel_bins;
    int32_t window;
    int32_t mel_scale;
    int32_t mel_area; /* 1 for triangles of unit area in hertz, 0 for the height 1 */
    int32_t framing;
    int32_t padding;
    int32_t magnitude; /* 1 to weigh magnitudes, 0 to weigh powers */
    int32_t logarithm;
    int32_t remove_dc;
    int32_t energy;   /* 1 to put the frame's log energy, before emphasis, in front of the mel bins,
                         or in place of the first cepstral coefficient */
    int32_t cepstra;  /* coefficients of the orthonormal DCT-II of the mel bins; 0 for the bins */
    int32_t lifter_from; /* index of the first coefficient in the sine of the lifter */
    uint32_t dither_seed;
    float lifter;      /* 0 for none */
    float preemphasis; /* 0 for none */
    float input_scale; /* multiplies every sample first */
    float dither;      /* standard deviation of noise added to the scaled samples; 0 for none */
    float floor;       /* of the mel energies, before the logarithm; a normal number > 0 */
    double low_hz;
    double high_hz;
} ek_log_mel_config;

typedef struct ek_log_mel_plan ek_log_mel_plan;

/* TFLite-micro's fixed-point front end; tensorflow/lite/experimental/microfrontend has the same. */
typedef struct {
    int32_t sample_rate_hz;
    int32_t window_samples; /* 129 to 4,096 */
    int32_t hop_samples;    /* at most window_samples */
    int32_t channels;
    int32_t smoothing_bits; /* by which noise estimates are finer than the signal */
    int32_t pcan;           /* 1 for gain control by each channel's noise */
    int32_t gain_bits;
    int32_t log; /* 1 for the logarithm */
    int32_t log_shift;
    float low_hz;
    float high_hz;
    float even_smoothing; /* what a frame counts in the noise estimates of every other channel */
    float odd_smoothing;
    float min_signal_remaining;
    float pcan_strength;
    float pcan_offset;
    float output_scale; /* what the whole numbers, 0 to 65,535, are multiplied by */
} ek_micro_config;

typedef struct ek_micro_plan ek_micro_plan;
typedef struct ek_micro_stream ek_micro_stream;

/* An 8-bit image: channel c of pixel (x, y) is at data + y row + x column + c channel bytes. With
 * `u` it is a camera's: data is luma, one byte per pixel, and u and v are at y/2 chroma_row + x/2
 * chroma_column; it has an even width and height, or one more column or row than that of luma. */
typedef struct {
    const uint8_t *data;
    ptrdiff_t row_stride;
    ptrdiff_t column_stride;
    ptrdiff_t channel_stride;
    int32_t width;
    int32_t height;
    const uint8_t *u;
    const uint8_t *v;
    ptrdiff_t chroma_row_stride;
    ptrdiff_t chroma_column_stride;
    int32_t matrix;
    int32_t full_range; /* 0: luma is 16 to 235, chroma 16 to 240 */
} ek_image;

/* What becomes of an image. The whole of it is resized to full_width x full_height; from
 * (skip_x, skip_y) on, inner_width x inner_height of that are put at (left, top) of the result,
 * whose other pixels are `fill`. 0 for full_ or inner_: the same as inner_, or the result.
 *
 * value = pixel[source[c]] * scale[c] + offset[c]; one plane is the sum of the three. Whole numbers
 * are value / quantum, rounded to even, plus zero_point, within their type. */
typedef struct {
    int32_t width;
    int32_t height;
    int32_t source[3];
    float scale[3];
    float offset[3];
    float fill[3];
    int32_t planes; /* 1, or 3, or 0 for 3 */
    int32_t mode;
    int32_t layout;
    int32_t type; /* EK_FLOAT32, EK_FLOAT16, EK_UINT8, EK_INT8 */
    float quantum;
    int32_t zero_point;
    int32_t left, top, inner_width, inner_height;
    int32_t full_width, full_height, skip_x, skip_y;
} ek_tensor_config;

EK_API uint32_t ek_cpu_features(void);

/* The best instruction set that is compiled in and that this machine can run. */
EK_API int ek_best_isa(void);
EK_API const char *ek_isa_name(int isa);

/* 0 when the configuration is refused. */
EK_API size_t ek_log_mel_plan_bytes(const ek_log_mel_config *config);
EK_API int ek_log_mel_plan_build(const ek_log_mel_config *config, void *memory, size_t bytes);
EK_API size_t ek_log_mel_scratch_bytes(const ek_log_mel_plan *plan, int isa);

/* Frames that sample_count samples give; 0 when they do not suffice for one. */
EK_API size_t ek_log_mel_frames(const ek_log_mel_plan *plan, size_t sample_count);

/* Floats in a row of the result: mel bins or cepstra, and the energy in front of mel bins. */
EK_API size_t ek_log_mel_columns(const ek_log_mel_plan *plan);

/* The cepstra of rows of mel_bins levels: rows of `cepstra` floats in out. For features that change
 * the levels first; the plan must have cepstra. */
EK_API int ek_log_mel_cepstra(const ek_log_mel_plan *plan, int isa, const float *levels,
                              size_t rows, float *out);

/* out receives ek_log_mel_frames(plan, sample_count) rows. */
EK_API int ek_log_mel(const ek_log_mel_plan *plan, int isa, const void *samples, int sample_type,
                      size_t sample_count, float *out, void *scratch);

/* A stream: the rows that ek_log_mel gives for all samples so far, as soon as they are known. The
 * caller keeps its memory, aligned as scratch, and calls for one stream one after the other. */
typedef struct ek_log_mel_stream ek_log_mel_stream;

EK_API size_t ek_log_mel_stream_bytes(const ek_log_mel_plan *plan, int isa);
EK_API int ek_log_mel_stream_start(const ek_log_mel_plan *plan, int isa, void *memory,
                                   size_t bytes);

/* Rows known after sample_count samples in all; after the last one, those of ek_log_mel. */
EK_API size_t ek_log_mel_stream_frames(const ek_log_mel_plan *plan, size_t sample_count, int last);

/* Takes sample_count more samples. The rows that they give go to out, which has room for `room` of
 * them; their number, or an EK_BAD_ code, after which the stream is as it was before. After the
 * last call the stream must be started again. */
EK_API int64_t ek_log_mel_stream_push(const ek_log_mel_plan *plan, ek_log_mel_stream *stream,
                                      const void *samples, int sample_type, size_t sample_count,
                                      int last, size_t room, float *out);

/* 0 when the configuration is refused. */
EK_API size_t ek_micro_plan_bytes(const ek_micro_config *config);
EK_API int ek_micro_plan_build(const ek_micro_config *config, void *memory, size_t bytes);

/* A stream's memory is aligned as scratch; calls for one stream come one after the other. */
EK_API size_t ek_micro_stream_bytes(const ek_micro_plan *plan);
EK_API int ek_micro_stream_start(const ek_micro_plan *plan, int isa, void *memory, size_t bytes);

/* Takes samples and gives rows as ek_log_mel_stream_push does. A row, `channels` floats, is known as
 * soon as its window is. */
EK_API int64_t ek_micro_stream_push(const ek_micro_plan *plan, ek_micro_stream *stream,
                                    const int16_t *samples, size_t sample_count, size_t room,
                                    float *out);

/* Where the rows of a stream go next. */
typedef struct {
    const void *plan;
    void *stream;
    float *out;
    size_t room; /* rows */
} ek_port;

/* The stream's push, not its last one, of a caller that has set up a port and says nothing twice: rows
 * go to the port's memory, which moves on by as many. */
EK_API int64_t ek_log_mel_port_float32(ek_port *port, const void *samples, size_t sample_count);
EK_API int64_t ek_log_mel_port_int16(ek_port *port, const void *samples, size_t sample_count);
EK_API int64_t ek_micro_port_int16(ek_port *port, const void *samples, size_t sample_count);

/* In place: max(value, largest - range), then (value + offset) * scale. One NaN makes all NaN. */
EK_API int ek_clamp_range(float *values, size_t count, float range, float offset, float scale);

/* A plan is of images of one size and of the same strides, matrix and range, as `image` is; its pixels
 * are not read. 0 when the configuration or the image is refused. */
typedef struct ek_image_plan ek_image_plan;

EK_API size_t ek_image_plan_bytes(const ek_tensor_config *config, const ek_image *image);
EK_API int ek_image_plan_build(const ek_tensor_config *config, const ek_image *image, void *memory,
                               size_t bytes);
EK_API size_t ek_image_plan_scratch_bytes(const ek_image_plan *plan);

/* out has planes x height x width values, or height x width x planes. u and v are NULL unless the
 * plan is of a camera's images. */
EK_API int ek_image_run(const ek_image_plan *plan, int isa, const uint8_t *data, const uint8_t *u,
                        const uint8_t *v, void *out, void *scratch);

/* The same of one image, with a plan that is built in scratch and not kept. */
EK_API size_t ek_image_scratch_bytes(const ek_tensor_config *config, const ek_image *image);
EK_API int ek_image_tensor(const ek_tensor_config *config, int isa, const ek_image *image,
                           void *out, void *scratch);

/* Rows of the result: row[kind] for each kind of statistic, quantile_row[i] for each quantile; -1
 * for what is not wanted. The rows are 0, 1, 2, ... without a gap. */
typedef struct {
    int32_t window;      /* 2 to EK_ROLLING_MAX_WINDOW samples */
    int32_t min_samples; /* fewer that are no NaN give NaN; 1 to window */
    int32_t nan_policy;
    int32_t ddof;                   /* of variance, std and z: 0 or 1 */
    int32_t row[EK_ROLLING_KINDS];
    int32_t quantile_count;
    int32_t quantile_row[EK_ROLLING_QUANTILES];
    double quantile[EK_ROLLING_QUANTILES]; /* 0 to 1 */
    int32_t bins;                   /* of the entropy; 2 to EK_ROLLING_MAX_BINS */
    int32_t ewma_adjust;            /* 1: divide by the sum of the weights so far */
    double low;                     /* left edge of the first bin; what lies below counts there */
    double high;
    double ewma_alpha;              /* above 0, at most 1 */
} ek_rolling_config;

typedef struct ek_rolling_plan ek_rolling_plan;

/* `series` runs of `samples` float32 or float64 values each. Strides are in bytes. */
typedef struct {
    const void *data;
    ptrdiff_t sample_stride;
    ptrdiff_t series_stride;
    size_t samples;
    size_t series;
    int32_t sample_type;
} ek_series;

/* 0 when the configuration is refused. */
EK_API size_t ek_rolling_plan_bytes(const ek_rolling_config *config);
EK_API int ek_rolling_plan_build(const ek_rolling_config *config, void *memory, size_t bytes);
EK_API size_t ek_rolling_scratch_bytes(const ek_rolling_plan *plan);

/* What one series remembers between calls; aligned to EK_ALIGNMENT. */
EK_API size_t ek_rolling_state_bytes(const ek_rolling_plan *plan);
EK_API int ek_rolling_start(const ek_rolling_plan *plan, void *state);

/* The next samples of each series. out receives [series][rows][samples] values of the type of the
 * samples; state_stride bytes lie between the states of two series. With 0 one state serves all:
 * it is started anew for each series. EK_BAD_SAMPLE: a sample is not finite and the policy is
 * EK_NAN_ERROR; then nothing has changed. */
EK_API int ek_rolling(const ek_rolling_plan *plan, int isa, void *state, size_t state_stride,
                      const ek_series *series, void *out, void *scratch);
/* cffi: end */

#endif
