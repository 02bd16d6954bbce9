"""What the presets of log-mel features mean, and which numbers go together."""

import math
from typing import Any, Literal, TypedDict

import numpy as np

from edgekit.errors import UsageError
from edgekit.kernels import LogMelSettings
from edgekit.manifest import LogMelSpec

WHISPER_RATE_HZ = 16_000
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 1_000_000
MAX_SAMPLES = 65_536


class LogMelOptions(TypedDict, total=False):
    """What a preset leaves open; None, like leaving it out, takes the preset's own.

    window_samples: length of the window. hop_samples: from frame to frame. fft_samples: even, half
    of it a product of 2, 3 and 5. window: its shape; kaldi divides by its length less one, the
    others by its length. preemphasis: 0 for none. remove_dc: subtract the frame's mean. framing:
    whole frames only; centred on every multiple of the hop; or, as Kaldi without snipped edges,
    around the middle of each hop. padding: what lies beyond the ends. mel_scale, mel_norm: kaldi
    has triangles in mel, slaney and htk in hertz, of unit area or height. spectrum: what is
    weighed. logarithm: db is 10 log10 of powers and 20 log10 of magnitudes. floor: the least
    energy. level_range: how far the levels may lie below the loudest of the whole input. energy:
    the frame's log energy as a first column. dither: standard deviation of the noise that is added
    to the scaled samples, with a seed.
    """

    window_samples: int | None
    hop_samples: int | None
    fft_samples: int | None
    window: Literal["povey", "hann", "hamming", "rectangular"] | None
    preemphasis: float | None
    remove_dc: bool | None
    framing: Literal["whole", "centred", "hops"] | None
    padding: Literal["reflect", "symmetric", "zero", "edge"] | None
    mel_scale: Literal["kaldi", "slaney", "htk"] | None
    mel_norm: Literal["area", "none"] | None
    spectrum: Literal["power", "magnitude"] | None
    logarithm: Literal["natural", "log10", "db", "none"] | None
    floor: float | None
    level_range: float | None
    energy: bool
    dither: float
    seed: int | None


_KALDI = {
    "low_hz": 20.0, "window": "povey", "preemphasis": 0.97, "remove_dc": True, "framing": "whole",
    "padding": "symmetric", "mel_scale": "kaldi", "mel_norm": "none", "spectrum": "power",
    "logarithm": "natural", "floor": float(np.finfo(np.float32).eps),
}  # fmt: skip
_WHISPER = {
    "low_hz": 0.0, "window_samples": 400, "hop_samples": 160, "fft_samples": 400,
    "window": "hann", "preemphasis": 0.0, "remove_dc": False, "framing": "centred",
    "padding": "reflect", "mel_scale": "slaney", "mel_norm": "area", "spectrum": "power",
    "logarithm": "log10", "floor": 1e-10, "level_range": 8.0,
}  # fmt: skip
_LIBROSA = {
    **_WHISPER, "fft_samples": 2048, "window_samples": None, "hop_samples": None,
    "padding": "zero", "logarithm": "db", "level_range": 80.0,
}  # fmt: skip
PRESETS: dict[str, dict[str, Any]] = {"kaldi": _KALDI, "whisper": _WHISPER, "librosa": _LIBROSA}


def value_of(spec: LogMelSpec, name: str) -> Any:
    """A field of the spec, or what its preset has."""
    own = getattr(spec, name)
    return PRESETS[spec.preset].get(name) if own is None else own


def level_range(spec: LogMelSpec) -> float | None:
    """How far levels may lie below the loudest one of the whole input; None for as far as it goes.

    A preset's range belongs to its logarithm: another logarithm has none unless it is given.
    """
    if spec.level_range is None and spec.logarithm is not None:
        return None
    range_: float | None = value_of(spec, "level_range")
    return range_


def settings_of(spec: LogMelSpec) -> LogMelSettings:
    """The preset spelled out.

    Raises:
        UsageError: numbers that do not go together.
    """
    check(spec)
    window_samples, hop_samples, fft_samples = _sizes(spec)
    kaldi = spec.preset == "kaldi"
    framing = value_of(spec, "framing")
    window: Any = value_of(spec, "window")
    if window in ("hann", "hamming") and not kaldi:
        window = f"{window}_periodic"
    return LogMelSettings(
        sample_rate_hz=spec.sample_rate_hz,
        frame_samples=window_samples if kaldi else fft_samples,
        window_samples=window_samples,
        hop_samples=hop_samples,
        fft_samples=fft_samples,
        mel_bins=spec.num_mel_bins,
        window=window,
        mel_scale=value_of(spec, "mel_scale"),
        mel_area=value_of(spec, "mel_norm") == "area",
        framing="centred_but_last" if (framing, spec.preset) == ("centred", "whisper") else framing,
        padding=value_of(spec, "padding"),
        magnitude=value_of(spec, "spectrum") == "magnitude",
        logarithm=value_of(spec, "logarithm"),
        remove_dc=value_of(spec, "remove_dc"),
        energy=spec.energy,
        preemphasis=value_of(spec, "preemphasis"),
        input_scale=spec.input_scale,
        dither=spec.dither,
        dither_seed=spec.seed or 0,
        floor=value_of(spec, "floor"),
        low_hz=value_of(spec, "low_hz"),
        high_hz=spec.sample_rate_hz / 2 if spec.high_hz is None else spec.high_hz,
    )


def _sizes(spec: LogMelSpec) -> tuple[int, int, int]:
    """Samples in the window, in a hop and in the transform."""
    window, hop, fft = (
        value_of(spec, name) for name in ("window_samples", "hop_samples", "fft_samples")
    )
    if spec.preset == "kaldi":
        window = spec.sample_rate_hz * 25 // 1000 if window is None else window
        hop = spec.sample_rate_hz // 100 if hop is None else hop
        fft = 1 << (window - 1).bit_length() if fft is None else fft
    window = fft if window is None else window
    return window, max(fft // 4, 1) if hop is None else hop, fft


def check(spec: LogMelSpec) -> None:
    """Refuse numbers that do not go together.

    Raises:
        UsageError: names the first of them, and what goes.
    """
    if spec.preset not in PRESETS:
        way_out = "use 'kaldi', 'whisper' or 'librosa'"
        raise UsageError("log-mel features", f"preset={spec.preset!r}", way_out)
    for problem, way_out in (*_wrong_band(spec), *_wrong_sizes(spec), *_wrong_levels(spec)):
        raise UsageError(f"log-mel features, preset {spec.preset!r}", problem, way_out)


def _wrong_band(spec: LogMelSpec) -> list[tuple[str, str]]:
    rate_hz, found = spec.sample_rate_hz, []
    low_hz = value_of(spec, "low_hz")
    high_hz = rate_hz / 2 if spec.high_hz is None else spec.high_hz
    if spec.preset == "whisper" and rate_hz != WHISPER_RATE_HZ:
        way_out = "the whisper preset is for 16000 Hz: resample"
        found.append((f"sample_rate_hz={rate_hz}", way_out))
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        found.append((f"sample_rate_hz={rate_hz}", f"use {MIN_RATE_HZ} to {MAX_RATE_HZ}"))
    if not 1 <= spec.num_mel_bins <= 256:
        found.append((f"num_mel_bins={spec.num_mel_bins}", "use 1 to 256"))
    if not 0 <= low_hz < high_hz <= rate_hz / 2:
        problem = f"a band from {low_hz:g} to {high_hz:g} Hz at sample_rate_hz={rate_hz}"
        found.append((problem, f"use 0 <= low_hz < high_hz <= {rate_hz / 2:g}"))
    return found


def _wrong_sizes(spec: LogMelSpec) -> list[tuple[str, str]]:
    window, hop, fft = _sizes(spec)
    found = []
    if not 2 <= fft <= MAX_SAMPLES or fft % 2 or not _is_smooth(fft // 2):
        way_out = f"use an even number up to {MAX_SAMPLES}, half of it a product of 2, 3 and 5"
        found.append((f"fft_samples={fft}", way_out))
    if not 2 <= window <= fft:
        found.append((f"window_samples={window}", f"use 2 to fft_samples={fft}"))
    if not 1 <= hop <= MAX_SAMPLES:
        found.append((f"hop_samples={hop}", f"use 1 to {MAX_SAMPLES}"))
    if value_of(spec, "framing") == "hops" and (hop > window or spec.preset != "kaldi"):
        way_out = "use framing='centred', or the kaldi preset with hop_samples <= window_samples"
        found.append((f"framing='hops' with hop_samples={hop}", way_out))
    return found


def _wrong_levels(spec: LogMelSpec) -> list[tuple[str, str]]:
    found = []
    if not (math.isfinite(spec.input_scale) and 1e-30 <= spec.input_scale <= 1e30):
        found.append((f"input_scale={spec.input_scale}", "use a number > 0, such as 32768"))
    if not (math.isfinite(spec.dither) and 0 <= spec.dither <= 1e30):
        found.append((f"dither={spec.dither}", "use 0 for none, or a number such as 1.0"))
    if spec.dither > 0 and spec.seed is None:
        way_out = "give a seed: the same samples must give the same features"
        found.append((f"dither={spec.dither} without a seed", way_out))
    if spec.seed is not None and not 0 <= spec.seed < 2**32:
        found.append((f"seed={spec.seed}", "use 0 to 4294967295"))
    preemphasis, floor = value_of(spec, "preemphasis"), value_of(spec, "floor")
    if not 0 <= preemphasis <= 1:
        found.append((f"preemphasis={preemphasis}", "use 0 for none, up to 1"))
    if not 1.2e-38 <= floor <= 3e38:
        found.append((f"floor={floor}", "use a normal float32 above 0, such as 1e-10"))
    range_ = level_range(spec)
    if range_ is not None and not (math.isfinite(range_) and range_ > 0):
        found.append((f"level_range={range_}", "use a number > 0"))
    if spec.energy and range_ is not None:
        found.append(("energy=True with a level range", "use the kaldi preset"))
    return found


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0 and number > 1:
            number //= prime
    return number == 1
