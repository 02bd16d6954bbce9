"""How the rule does on streams: run this file with the demo's environment, after `make demo-kws`.

Every voice of a split says each keyword and as many other words, in a recording of its own that is
streamed through the bundle. A table tells for every threshold how many keywords were heard, how
many detections were nobody's, and how long after its end a word was reported. Thresholds are chosen
on the calibration split (`--split calibration`).
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import recording
from espeak import RATE_HZ, FetchError
from recording import Truth
from spotting import THRESHOLD, Detection, Spotter, Window, windows
from words import ACCENTS, KEYWORDS, OTHERS, VOICES

import edgekit

BUNDLE = Path(".demo/kws/kws-1.0.edgekit")
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CHUNK = RATE_HZ // 100


@dataclass(frozen=True)
class Heard:
    """A voice's recording: how long it is, what was said, what the model said of each window."""

    length_s: float
    truth: list[Truth]
    windows: list[Window]


@dataclass(frozen=True)
class Outcome:
    """Of all recordings, with one threshold. A delay is from a word's end to its detection."""

    heard: int
    keywords: int
    false_alarms: int
    hours: float
    delays_s: list[float]


def main() -> int:
    """Stream every voice of a split; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--split", choices=sorted(VOICES), default="evaluation")
    parser.add_argument("--bundle", type=Path, default=BUNDLE)
    arguments = parser.parse_args()
    if not arguments.bundle.exists():
        print(f"evaluate: {arguments.bundle}: no such bundle; run: make demo-kws", file=sys.stderr)
        return 2
    with edgekit.load(arguments.bundle) as model:
        voices = VOICES[arguments.split]
        every = [streamed(model, arguments.split, index) for index in range(len(voices))]
    print(f"{arguments.split}: {len(every)} voices, {sum(one.length_s for one in every):.0f} s")
    print("threshold   keywords heard   false alarms (an hour)   delay, median and 95 %")
    for threshold in THRESHOLDS:
        mark = "*" if threshold == THRESHOLD else " "
        print(f"{threshold:8.2f} {mark}   {told(outcome(every, threshold))}")
    print(f"* the rule's own, in spotting.py: {THRESHOLD}")
    return 0


def script(split: str, index: int) -> list[tuple[str, str]]:
    """What a voice says, in any order: each keyword once, and as many other words."""
    rng = random.Random(f"{split} {index}")
    said = [*KEYWORDS, *rng.choices(OTHERS[split], k=len(KEYWORDS))]
    rng.shuffle(said)
    return [(text, f"{rng.choice(ACCENTS)}+{VOICES[split][index]}") for text in said]


def streamed(model: edgekit.Model, split: str, index: int) -> Heard:
    """One voice's recording through the model's stream."""
    samples, truth = recording.mixed(script(split, index), seed=index)
    return Heard(len(samples) / RATE_HZ, truth, list(windows(model, samples, CHUNK)))


def detections(heard: Sequence[Window], threshold: float) -> list[Detection]:
    """What the rule makes of the windows."""
    spotter = Spotter(KEYWORDS, threshold)
    found = (spotter.push(window.scores, window.at_s) for window in heard)
    return [detection for detection in found if detection is not None]


def outcome(every: Sequence[Heard], threshold: float) -> Outcome:
    """The rule with one threshold, over all recordings."""
    keywords = false_alarms = 0
    delays_s = []
    for one in every:
        pairs, extra = recording.paired(one.truth, detections(one.windows, threshold))
        keywords += sum(word.text in KEYWORDS for word, _ in pairs)
        false_alarms += len(extra)
        delays_s += [found.at_s - word.end_s for word, found in pairs if found is not None]
    hours = sum(one.length_s for one in every) / 3600
    return Outcome(len(delays_s), keywords, false_alarms, hours, delays_s)


def told(found: Outcome) -> str:
    """A line of the table."""
    share, hourly = found.heard / found.keywords, found.false_alarms / found.hours
    recall = f"{found.heard:4} of {found.keywords} ({share:.1%})"
    alarms = f"{found.false_alarms:4} ({hourly:5.1f})"
    if not found.delays_s:
        return f"{recall}   {alarms}"
    middle, late = np.quantile(found.delays_s, (0.5, 0.95))
    return f"{recall}   {alarms}            {middle:5.2f} s  {late:5.2f} s"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FetchError as error:
        sys.exit(f"evaluate: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
