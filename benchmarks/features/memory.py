"""Bytes that each operation takes besides its input and result."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest.mock import patch

import builds
import numpy as np
from features.speech import speech

from edgekit.features import Ewma, ImageTensor, LogMel, Mfcc, MicroFrontend, Resize, RollingStats
from edgekit.kernels import machine

SIDE, WINDOWS = 224, (60, 1_000)
STATISTICS = ("mean", "std", "min", "max", "slope", "ewma", 0.5)


@contextmanager
def asked() -> Iterator[list[int]]:
    """Sizes of the memory that the kernels are given meanwhile."""
    sizes: list[int] = []
    aligned = machine.aligned

    def counted(size_bytes: int) -> np.ndarray:
        sizes.append(size_bytes)
        return aligned(size_bytes)

    with ExitStack() as stack:
        for module in (machine, *builds.shipped().pickers):
            if hasattr(module, "aligned"):
                stack.enter_context(patch.object(module, "aligned", counted))
        yield sizes


def told(make: Callable[[], Callable], given: np.ndarray) -> str:
    """Of the tables, which are built once, and of what a call works in."""
    with asked() as tables:
        job = make()
    with asked() as call:
        job(given)
    if not tables:  # an image's hang on its size, and are built when it comes first
        tables, call = call[:1], call[1:]
    return f"tables {sum(tables):,} bytes, a call {sum(call):,} bytes"


def streamed(features) -> str:
    """Of a stream that took a second of samples in chunks of 10 ms."""
    with asked() as sizes:
        stream = features.stream()
        for chunk in np.split((speech(0, 1) * 30_000).astype(np.int16), 100):
            stream.push(chunk)
    return f"{sum(sizes):,} bytes"


def image(mode: str, size: tuple[int, int]) -> str:
    picture = np.zeros((*size, 3), np.uint8)
    resize = Resize(mode=mode)
    return told(lambda: ImageTensor(height_px=SIDE, width_px=SIDE, resize=resize), picture)


def memory() -> dict[str, str]:
    """Of every operation."""
    samples = (speech(0, 10) * 30_000).astype(np.int16)
    found = {
        "LogMel.kaldi, 10 s": told(LogMel.kaldi, samples),
        "LogMel.whisper, 10 s": told(LogMel.whisper, samples),
        "LogMel.librosa, 10 s": told(LogMel.librosa, samples),
        "Mfcc.kaldi, 10 s": told(Mfcc.kaldi, samples),
        "MicroFrontend, 10 s": told(MicroFrontend, samples),
        "LogMel.kaldi stream": streamed(LogMel.kaldi()),
        "Mfcc.kaldi stream": streamed(Mfcc.kaldi()),
        "MicroFrontend stream": streamed(MicroFrontend()),
    }
    for mode in ("nearest", "bilinear", "antialias", "area"):
        for name, size in {"480p": (480, 640), "1080p": (1080, 1920)}.items():
            found[f"ImageTensor, {mode}, {name} → {SIDE}²"] = image(mode, size)
    for window in WINDOWS:
        make = partial(RollingStats, window, STATISTICS, ewma=Ewma(0.1))
        found[f"RollingStats, w = {window}"] = told(make, np.zeros(100_000))
        with asked() as state:
            make().stream()
        found[f"RollingStats stream, w = {window}"] = f"{sum(state[1:]):,} bytes"
    return found
