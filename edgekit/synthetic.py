"""Seeded inputs made from a bundle alone: for tests of an app without anybody's data.

Shapes and dtypes are the manifest's; values are drawn from the histograms of calibration data
where the bundle has them, each value by itself: the distribution is that of real inputs, the
content is noise. They show that an app feeds, runs and reads a model, never how good it is.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.bundle import Bundle
from edgekit.engines import Array
from edgekit.errors import InputError
from edgekit.features import LogMel, build
from edgekit.manifest import (
    Camera,
    Feature,
    ImageTensorSpec,
    LogMelSpec,
    RollingStatsSpec,
    Tensor,
)
from edgekit.reference import Histogram, read_reference

SECOND_FRAMES = 98  # of 25 ms every 10 ms
LOUDNESS = 0.1
"""Root mean square of sound in units of full scale, where no histogram says how loud it is."""
ENVELOPE_FRAMES = 5
Sizes = Mapping[str, int]


def synthetic_inputs(
    path: str | Path, count: int = 8, *, seed: int = 0, sizes: Sizes | None = None
) -> list[Any]:
    """Raw inputs for `Model.run`: pictures, sound, or the model's inputs where it has no features.

    A picture has the height that the features resize to, and their width or one to four times the
    height; a series is noise; sound is noise as loud and as changing as the histogram says, of the
    frames that the model takes or one second.

    Args:
        path: the `.edgekit` file.
        count: how many; the first ones do not depend on it.
        seed: of everything drawn: the same inputs every time.
        sizes: of dimensions that have a name in the manifest and may vary; 1 if absent.

    Returns:
        What `Model.run` takes: an array, or for several inputs arrays by name.

    Raises:
        BundleError: the bundle is damaged.
        InputError: an input holds strings, or its shape does not go with its features.
        StorageError: the file cannot be read.
    """
    return [_lone(each) for each in _drawn(path, count, seed, sizes or {}, raw=True)]


def synthetic_feeds(
    path: str | Path, count: int = 8, *, seed: int = 0, sizes: Sizes | None = None
) -> list[dict[str, Array]]:
    """Model inputs by name for `Model.infer`; see `synthetic_inputs`."""
    return _drawn(path, count, seed, sizes or {}, raw=False)


def _drawn(
    path: str | Path, count: int, seed: int, sizes: Sizes, *, raw: bool
) -> list[dict[str, Array]]:
    with Bundle.open(path) as bundle:
        manifest, reference = bundle.manifest, read_reference(bundle)
    known = reference.inputs if reference is not None else {}
    wished = {feature.input: feature for feature in manifest.features} if raw else {}

    def one(tensor: Tensor, random: np.random.Generator) -> Array:
        histogram = known.get(tensor.name)
        if tensor.name in wished:
            return _draw_raw(wished[tensor.name], tensor, histogram, random)
        return draw(tensor, histogram, random, sizes)

    randoms = [np.random.default_rng([seed, number]) for number in range(count)]
    return [{tensor.name: one(tensor, random) for tensor in manifest.inputs} for random in randoms]


def draw(
    tensor: Tensor,
    histogram: Histogram | None,
    random: np.random.Generator,
    sizes: Sizes | None = None,
) -> Array:
    """One model input.

    Args:
        tensor: its dtype and shape.
        histogram: of its values; None for normal floats and integers of 0 and 1.
        random: where chance comes from.
        sizes: of dimensions that may vary; 1 if absent.

    Raises:
        InputError: it holds strings.
    """
    if tensor.dtype == "string":
        problem = "it holds strings, which noise cannot stand for"
        raise InputError(f"input {tensor.name!r}", problem, "give a task or real inputs")
    given = sizes or {}
    shape = [given.get(size, 1) if isinstance(size, str) else size for size in tensor.shape]
    if histogram is not None and any(histogram.counts):
        return _as(tensor.dtype, values_like(histogram, math.prod(shape), random).reshape(shape))
    if tensor.dtype.startswith("float"):
        return random.standard_normal(shape).astype(tensor.dtype)
    return random.integers(0, 2, shape).astype(tensor.dtype)


def values_like(histogram: Histogram, count: int, random: np.random.Generator) -> Array:
    """Float64 values with a histogram's distribution, even within each bin."""
    counts = np.asarray(histogram.counts, np.float64)
    bins = random.choice(counts.size, count, p=counts / counts.sum())
    width = (histogram.high - histogram.low) / counts.size
    values: Array = histogram.low + width * (bins + random.random(count))
    return values


def _as(dtype: str, values: Array) -> Array:
    if dtype.startswith("float"):
        return values.astype(dtype)
    if dtype == "bool":
        return values >= 0.5
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def _lone(parts: dict[str, Array]) -> Any:
    return next(iter(parts.values())) if len(parts) == 1 else parts


def _draw_raw(
    feature: Feature, tensor: Tensor, histogram: Histogram | None, random: np.random.Generator
) -> Array:
    if isinstance(feature.spec, ImageTensorSpec):
        return _picture(feature.spec, tensor, histogram, random)
    if isinstance(feature.spec, RollingStatsSpec):
        return _series(feature, feature.spec, tensor, random)
    return _sound(feature, tensor, histogram, random)


def _picture(
    spec: ImageTensorSpec, tensor: Tensor, histogram: Histogram | None, random: np.random.Generator
) -> Array:
    """A picture that the features only normalize, for it has their size already.

    A camera's frame has even sides, so one more row or column where theirs are odd.
    """
    across = -1 if spec.output.layout == "chw" else -2
    fixed = tensor.shape[across] if tensor.shape else None
    width = spec.width_px or (fixed if isinstance(fixed, int) else None)
    if width is None:
        wide = int(random.integers(spec.height_px, 4 * spec.height_px + 1))
        width = min(max(wide, spec.min_width_px), spec.max_width_px)
    if isinstance(spec.source, Camera):
        height, width = spec.height_px + spec.height_px % 2, width + width % 2
        frame = _levels(spec, histogram, (height, width, 1), random)[..., 0]
        return np.concatenate([frame, np.full((height // 2, width), 128, np.uint8)])
    planes = 1 if "gray" in (spec.channels, spec.source) else 3
    pixels = _levels(spec, histogram, (spec.height_px, width, planes), random)
    if spec.source == "gray":
        return pixels[..., 0]
    pixels = np.repeat(pixels, 3, axis=2) if planes == 1 else pixels
    mirrored = planes == 3 and spec.channels != spec.source
    return np.ascontiguousarray(pixels[..., ::-1]) if mirrored else pixels


def _levels(
    spec: ImageTensorSpec,
    histogram: Histogram | None,
    shape: tuple[int, int, int],
    random: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """uint8 levels, in the order of the result's planes, that become what the histogram counted."""
    if histogram is None or not any(histogram.counts):
        return random.integers(0, 256, shape, np.uint8)
    values = values_like(histogram, math.prod(shape), random).reshape(shape)
    if "int" in spec.output.dtype:
        values = (values - spec.output.zero_point) * spec.output.scale
    std, mean = spec.std[: shape[2]], spec.mean[: shape[2]]
    return np.clip(np.rint((values * std + mean) * 255), 0, 255).astype(np.uint8)


def _series(
    feature: Feature, spec: RollingStatsSpec, tensor: Tensor, random: np.random.Generator
) -> Array:
    """Noise, in as many series and samples as the tensor has."""
    sizes = tensor.shape[feature.leading_axes :]
    samples = sizes[-1] if sizes and isinstance(sizes[-1], int) else 4 * spec.window
    series = (sizes[0],) if len(sizes) == 3 and isinstance(sizes[0], int) else ()
    return random.standard_normal((*series, samples)).astype(tensor.dtype)


def _sound(
    feature: Feature, tensor: Tensor, histogram: Histogram | None, random: np.random.Generator
) -> Array:
    """float32 samples: white noise whose loudness changes, as loud as the histogram says."""
    spec = feature.spec
    if not isinstance(spec, LogMelSpec):
        problem = f"no raw input can be drawn for {type(spec).__name__}"
        raise InputError(f"input {tensor.name!r}", problem, "draw with synthetic_feeds instead")
    extract = build(spec)
    assert isinstance(extract, LogMel)
    frames = tensor.shape[feature.leading_axes] if len(tensor.shape) > feature.leading_axes else 0
    wanted = frames if isinstance(frames, int) else SECOND_FRAMES
    hop = extract.settings.hop_samples
    noise = random.standard_normal(_samples_for(extract, wanted, tensor)).astype(np.float32)
    full_scale = (32_768 if spec.preset == "kaldi" else 1) / spec.input_scale
    sound: Array = (noise * (LOUDNESS * full_scale)).astype(np.float32)
    if histogram is None or not any(histogram.counts):
        return sound
    mean, spread = _moments(histogram)
    # a feature is the logarithm of energy: of amplitude, natural, times this
    steep = 2.0 if spec.preset == "kaldi" else 2.0 / math.log(10.0) / 4.0
    rest = math.sqrt(max(spread**2 - float(extract(sound).std()) ** 2, 0.0)) / steep
    knots = random.standard_normal(noise.size // (ENVELOPE_FRAMES * hop) + 2) * rest
    places = np.arange(noise.size) / (ENVELOPE_FRAMES * hop)
    sound = (sound * np.exp(np.interp(places, np.arange(knots.size), knots))).astype(np.float32)
    for _ in range(4):  # floors and clamps bend what would be a straight line
        sound = (sound * math.exp((mean - float(extract(sound).mean())) / steep)).astype(np.float32)
    return sound


def _samples_for(extract: LogMel, frames: int, tensor: Tensor) -> int:
    """Samples that make so many frames."""
    settings = extract.settings
    for count in (settings.frame_samples + (frames - 1) * settings.hop_samples,
                  frames * settings.hop_samples):  # fmt: skip
        try:
            if frames > 0 and extract(np.zeros(count, np.float32)).shape[0] == frames:
                return count
        except InputError:
            continue
    problem = f"its shape {list(tensor.shape)} has {frames} frames, which no sound makes"
    raise InputError(f"input {tensor.name!r}", problem, "draw with synthetic_feeds instead")


def _moments(histogram: Histogram) -> tuple[float, float]:
    """Mean and standard deviation of a histogram's values."""
    edges = np.linspace(histogram.low, histogram.high, len(histogram.counts) + 1)
    centres, counts = (edges[:-1] + edges[1:]) / 2, np.asarray(histogram.counts, np.float64)
    mean = float((centres * counts).sum() / counts.sum())
    return mean, math.sqrt(float(((centres - mean) ** 2 * counts).sum() / counts.sum()))
