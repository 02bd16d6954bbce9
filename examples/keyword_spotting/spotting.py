"""From a score for every window to words with times: the rule that an app puts behind a model.

The scores of the last `SMOOTHED` windows are averaged. A keyword is detected when its average is
the highest and reaches the threshold; then nothing is detected for `REFRACTORY_S`, and the windows
that heard the word are forgotten. A lone confident window is therefore not enough, and one word is
not reported twice.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import edgekit
from edgekit.manifest import LogMelSpec, StreamSpec

SMOOTHED = 3
THRESHOLD = 0.6
REFRACTORY_S = 0.8


@dataclass(frozen=True)
class Detection:
    """A keyword, when the window that settled it ended, and the average score then."""

    word: str
    at_s: float
    score: float


@dataclass
class Spotter:
    """Scores in, detections out; `keywords` are the labels that are worth reporting."""

    keywords: tuple[str, ...]
    threshold: float = THRESHOLD
    recent: deque[Mapping[str, float]] = field(default_factory=lambda: deque(maxlen=SMOOTHED))
    quiet_until_s: float = 0.0

    def push(self, scores: Mapping[str, float], at_s: float) -> Detection | None:
        """Take the scores of the window that ends at `at_s`, by label."""
        if at_s < self.quiet_until_s:
            return None
        self.recent.append(scores)
        if len(self.recent) < SMOOTHED:
            return None
        average = {label: mean(each[label] for each in self.recent) for label in scores}
        best = max(average, key=lambda label: average[label])
        if best not in self.keywords or average[best] < self.threshold:
            return None
        self.recent.clear()
        self.quiet_until_s = at_s + REFRACTORY_S
        return Detection(best, at_s, average[best])


@dataclass(frozen=True)
class Window:
    """What the model said of one window: when it ended, the scores by label, what it took."""

    at_s: float
    scores: Mapping[str, float]
    features_ms: float
    model_ms: float


def windows(model: edgekit.Model, samples: NDArray[np.int16], chunk: int) -> Iterator[Window]:
    """Feed a recording in chunks of so many samples, as a microphone would."""
    spec, window = of_bundle(model)
    stream, count = model.stream(), 0
    for start in range(0, len(samples), chunk):
        for result in stream.push(samples[start : start + chunk]):
            at_s = window_end_s(count, spec, window.frames, window.hop_frames)
            count += 1
            scores = {label.name: label.score for label in result.value}
            yield Window(at_s, scores, result.features_ms, result.model_ms)


def of_bundle(model: edgekit.Model) -> tuple[LogMelSpec, StreamSpec]:
    """What the bundle's manifest says of frames and windows."""
    wish = model.manifest.features[0]
    if not isinstance(wish.spec, LogMelSpec) or not isinstance(wish.stream, StreamSpec):
        raise ValueError("the bundle's feature is no log-mel with a stream")
    return wish.spec, wish.stream


def mean(values: Iterable[float]) -> float:
    """Their mean."""
    every = list(values)
    return sum(every) / len(every)


def window_end_s(window: int, spec: LogMelSpec, frames: int, hop_frames: int) -> float:
    """When the last sample of a stream's window number `window` came, in seconds.

    Windows are counted from 0. Frames are Kaldi's: 25 ms long, 10 ms apart, whole ones only.
    """
    window_s, hop_s = 0.025, 0.010
    if spec.preset != "kaldi":
        raise ValueError(f"preset {spec.preset!r}: its frames lie elsewhere")
    return (window * hop_frames + frames - 1) * hop_s + window_s
