"""The bundle's manifest: frozen msgspec structs, strict, and nothing but msgspec to read them.

    Manifest
    ├── inputs, outputs: Tensor     what the runtime sees
    ├── features: Feature           raw input → one model input (LogMelSpec, ImageTensorSpec, ...)
    ├── decoder: Decoder            model outputs → Result (RawSpec, ClassifySpec, CtcSpec)
    ├── budget: Budget              what the release was judged by
    └── files: File                 every other file in the bundle, with digest and size

Unknown fields, missing fields and values of the wrong type are refused when decoded.
"""

import json
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from edgekit.budget import Budget, NotNegative, Positive
from edgekit.errors import BundleError

SCHEMA = 1
"""The only schema version this reader knows."""

Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,62}\Z")]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Dtype: TypeAlias = Literal[
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "string",
]  # fmt: skip
Engine: TypeAlias = Literal["onnxruntime", "litert"]


class Tensor(Struct, frozen=True, forbid_unknown_fields=True):
    """A model input or output. A dimension is a size, or a name where it may vary."""

    name: str
    dtype: Dtype
    shape: tuple[NotNegative | str, ...]


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the bundle, by its path inside it."""

    path: str
    sha256: Sha256
    size_bytes: NotNegative


class LogMelSpec(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="log_mel"
):
    """Log-mel energies of mono audio; `edgekit.features.LogMel` has the presets.

    None means what the preset has: `low_hz` is 20 for kaldi and 0 for the others, `high_hz` half
    the sample rate. Every sample is multiplied by `input_scale` first; `dither` is the standard
    deviation of the noise that is added then, and needs a `seed`.
    """

    preset: Literal["kaldi", "whisper", "librosa"]
    sample_rate_hz: Positive = 16_000
    num_mel_bins: Annotated[int, Meta(ge=1, le=256)] = 80
    low_hz: Annotated[float, Meta(ge=0)] | None = None
    high_hz: Annotated[float, Meta(gt=0)] | None = None
    input_scale: Annotated[float, Meta(gt=0)] = 1.0
    window_samples: Annotated[int, Meta(ge=2)] | None = None
    hop_samples: Positive | None = None
    fft_samples: Annotated[int, Meta(ge=2)] | None = None
    window: Literal["povey", "hann", "hamming", "rectangular"] | None = None
    preemphasis: Annotated[float, Meta(ge=0, le=1)] | None = None
    remove_dc: bool | None = None
    framing: Literal["whole", "centred", "hops"] | None = None
    padding: Literal["reflect", "symmetric", "zero", "edge"] | None = None
    mel_scale: Literal["kaldi", "slaney", "htk"] | None = None
    mel_norm: Literal["area", "none"] | None = None
    spectrum: Literal["power", "magnitude"] | None = None
    logarithm: Literal["natural", "log10", "db", "none"] | None = None
    floor: Annotated[float, Meta(gt=0)] | None = None
    level_range: Annotated[float, Meta(gt=0)] | None = None
    energy: bool = False
    dither: Annotated[float, Meta(ge=0)] = 0.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None = None


class MfccSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="mfcc"):
    """Mel-frequency cepstral coefficients; `edgekit.features.Mfcc` has the presets.

    `num_ceps` coefficients of the orthonormal DCT-II of `log_mel`, times the lifter of that
    preset; with the energy of `log_mel`, the first one is the frame's log energy.
    """

    log_mel: LogMelSpec
    num_ceps: Annotated[int, Meta(ge=1, le=256)] = 13
    lifter: Annotated[float, Meta(ge=0, le=1000)] = 0.0


class MicroFrontendSpec(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="micro_frontend"
):
    """TFLite-micro's fixed-point front end, as `edgekit.features.MicroFrontend` computes it."""

    sample_rate_hz: Positive = 16_000
    window_ms: Positive = 30
    hop_ms: Positive = 10
    num_channels: Annotated[int, Meta(ge=1, le=256)] = 40
    low_hz: Annotated[float, Meta(ge=0)] = 125.0
    high_hz: Annotated[float, Meta(gt=0)] = 7_500.0
    smoothing_bits: Annotated[int, Meta(ge=0, le=16)] = 10
    even_smoothing: Annotated[float, Meta(ge=0, le=1)] = 0.025
    odd_smoothing: Annotated[float, Meta(ge=0, le=1)] = 0.06
    min_signal_remaining: Annotated[float, Meta(ge=0, le=1)] = 0.05
    pcan: bool = True
    pcan_strength: Annotated[float, Meta(ge=0, le=2)] = 0.95
    pcan_offset: Annotated[float, Meta(gt=0)] = 80.0
    gain_bits: Annotated[int, Meta(ge=0, le=24)] = 21
    log: bool = True
    log_shift: Annotated[int, Meta(ge=0, le=16)] = 6
    output_scale: Annotated[float, Meta(gt=0)] = 0.0390625


class Resize(Struct, frozen=True, forbid_unknown_fields=True):
    """How a picture gets its size.

    `mode`: "bilinear" without antialiasing (OpenCV's INTER_LINEAR), "nearest" by centres of pixels,
    "antialias" a triangle that widens as the picture shrinks (Pillow's BILINEAR, torchvision's
    antialias=True), "area" the mean over what a pixel covers (OpenCV's INTER_AREA, shrinking).

    `fit`: "stretch", "letterbox" (the whole picture, centred, the rest of level `pad`), "crop" (the
    centre; before, the shorter side is resized to `short_px`, or to what just covers the result).
    """

    mode: Literal["bilinear", "nearest", "antialias", "area"] = "bilinear"
    fit: Literal["stretch", "letterbox", "crop"] = "stretch"
    pad: Annotated[int, Meta(ge=0, le=255)] = 114
    short_px: Positive | None = None


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """A camera's planes: luma, and chroma of half the height and width, "nv12" as (u, v) pairs.

    `matrix` is that of ITU-R BT.601 or BT.709; `full_range` means levels of 0 to 255, otherwise
    luma is 16 to 235 and chroma 16 to 240. Chroma is repeated, not interpolated.
    """

    planes: Literal["nv12", "nv21", "i420"] = "nv12"
    matrix: Literal["bt601", "bt709"] = "bt601"
    full_range: bool = False


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor's type and axes; int8 and uint8 are value / scale, rounded to even, + zero_point."""

    dtype: Literal["float32", "float16", "int8", "uint8"] = "float32"
    layout: Literal["chw", "hwc"] = "chw"
    scale: Annotated[float, Meta(gt=0)] = 1.0
    zero_point: Annotated[int, Meta(ge=-128, le=255)] = 0


class ImageTensorSpec(Struct, frozen=True, forbid_unknown_fields=True, tag="image_tensor"):
    """uint8 picture to a normalized tensor; `edgekit.features.ImageTensor` says more.

    `width_px` None keeps the aspect ratio at the given height, between `min_width_px` and
    `max_width_px`. The value is `(pixel / 255 - mean) / std`, channel by channel, after
    `channels` put them in order; gray takes the first mean and std.
    """

    height_px: Positive
    width_px: Positive | None = None
    min_width_px: Positive = 1
    max_width_px: Positive = 16_384
    channels: Literal["rgb", "bgr", "gray"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Resize = Resize()
    source: Literal["rgb", "bgr", "gray"] | Camera = "rgb"
    output: Output = Output()


RollingStatistic: TypeAlias = Literal[
    "mean", "variance", "std", "z_score", "slope", "min", "max", "entropy", "ewma"
]


class Ewma(Struct, frozen=True, forbid_unknown_fields=True):
    """A mean over all samples so far whose weights fall by 1 - alpha from sample to sample.

    With `adjust` it is divided by the sum of the weights so far, as pandas does by default;
    without, the first sample has the weight 1 / alpha, so that the mean moves by alpha of the way.

    A sample that is missing has no weight, and those before it are older by one. Without `adjust`
    pandas forgets after a gap how long it was (all that came before weighs 1 / alpha again): its
    values are others from the second sample after a gap on. With `adjust` they are the same.
    """

    alpha: Annotated[float, Meta(gt=0, le=1)]
    adjust: bool = True


class Bins(Struct, frozen=True, forbid_unknown_fields=True):
    """Equal bins of a histogram; what lies outside counts in the first or the last one."""

    count: Annotated[int, Meta(ge=2, le=4_096)]
    low: float
    high: float


class RollingStatsSpec(Struct, frozen=True, forbid_unknown_fields=True, tag="rolling_stats"):
    """Rolling statistics of a time series; `edgekit.features.RollingStats` says what they mean."""

    window: Annotated[int, Meta(ge=2, le=100_000)]
    statistics: tuple[RollingStatistic | Annotated[float, Meta(ge=0, le=1)], ...]
    min_samples: Positive | None = None
    nan: Literal["propagate", "ignore", "error"] = "propagate"
    ddof: Annotated[int, Meta(ge=0, le=1)] = 0
    ewma: Ewma | None = None
    bins: Bins | None = None


FeatureSpec: TypeAlias = (
    LogMelSpec | MfccSpec | MicroFrontendSpec | ImageTensorSpec | RollingStatsSpec
)


class StreamSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What one inference of a stream sees: `frames` frames, and `hop_frames` new ones each time."""

    frames: Annotated[int, Meta(ge=1, le=100_000)]
    hop_frames: Annotated[int, Meta(ge=1, le=100_000)]


class Feature(Struct, frozen=True, forbid_unknown_fields=True):
    """What fills one model input: the features behind `leading_axes` axes of size 1.

    With `stream`, audio may also come in chunks: `Model.stream()`.
    """

    input: str
    spec: FeatureSpec
    leading_axes: Annotated[int, Meta(ge=0, le=4)] = 1
    stream: StreamSpec | msgspec.UnsetType = msgspec.UNSET


class RawSpec(Struct, frozen=True, forbid_unknown_fields=True, tag="raw"):
    """The outputs as they are."""


class ClassifySpec(Struct, frozen=True, forbid_unknown_fields=True, tag="classify"):
    """The most probable labels of one output of shape (1, classes) or (classes,)."""

    output: str
    top_k: Positive = 5
    softmax: bool = False


class CtcSpec(Struct, frozen=True, forbid_unknown_fields=True, tag="ctc"):
    """Greedy CTC over one output of shape (1, steps, classes) or (steps, classes)."""

    output: str
    blank: NotNegative = 0


DecoderSpec: TypeAlias = RawSpec | ClassifySpec | CtcSpec


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything a device must know about a bundle. The spec is docs/bundle-format.md."""

    schema: int
    name: Name
    version: Name
    target: Name
    engine: Engine
    recipe: str
    model: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    features: tuple[Feature, ...] = ()
    decoder: DecoderSpec = RawSpec()
    labels: str | None = None
    budget: Budget = Budget()
    files: tuple[File, ...] = ()


class _SchemaOnly(Struct):
    schema: int


def decode_manifest(data: bytes, thing: str) -> Manifest:
    """Read `manifest.json`.

    Args:
        data: the bytes of the file.
        thing: what to call the bundle in an error.

    Raises:
        BundleError: it is not JSON, of another schema, or breaks a rule of this one.
    """
    try:
        schema = msgspec.json.decode(data, type=_SchemaOnly).schema
        if schema != SCHEMA:
            raise BundleError(
                thing,
                f"manifest.json has schema {schema}, this edgekit reads schema {SCHEMA}",
                "install the edgekit that wrote the bundle, or pack it again with this one",
            )
        json.loads(data, object_pairs_hook=_without_repeats)
        return msgspec.json.decode(data, type=Manifest)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise BundleError(
            thing, f"manifest.json cannot be read: {error}", "pack or download the bundle again"
        ) from error


def _without_repeats(pairs: list[tuple[str, object]]) -> None:
    """Refuse an object with a key twice: readers differ in which of the two they believe."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"key {key!r} stands twice in one object")


def encode_manifest(manifest: Manifest) -> bytes:
    """The one byte sequence that stands for a manifest: sorted keys, indented, a final newline."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"
