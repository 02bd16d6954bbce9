"""A recording with known words in it, in noise, by voices that training has not heard."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import espeak
import numpy as np
import words
from espeak import RATE_HZ, Utterance
from numpy.typing import NDArray
from spotting import Detection

SCRIPT = (
    ("yes", "en-us+f1"), ("winter", "en+m1"), ("start", "en+Alicia"), ("louder", "en-us+m5"),
    ("bicycle", "en-us+pedro"), ("no", "en+grandpa"), ("mountain", "en-gb-x-rp+Hugo"),
    ("open", "en-gb-scotland+michel"), ("coffee", "en-us+f1"), ("softer", "en-us+Mike"),
    ("close", "en+robert"), ("letter", "en-us+john"), ("stop", "en-029+m7"),
)  # fmt: skip
"""What is said by which voice of the evaluation split: eight keywords and five other words."""
WORDS_PER_MINUTE, PITCH, SEED = 160, 50, 2026
GAPS_S = (0.6, 1.1)
LATE_S = 0.9
"""How long after its end a word may be reported and still be that word's."""


@dataclass(frozen=True)
class Truth:
    """A word, and when it was said."""

    text: str
    start_s: float
    end_s: float


def voices() -> Path:
    """Fetch them."""
    return espeak.fetch()


def make(path: Path) -> list[Truth]:
    """Write the recording, a mono 16-bit WAV at 16 kHz; returns what is in it."""
    samples, truth = mixed()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return truth


def mixed(
    script: Sequence[tuple[str, str]] = SCRIPT, seed: int = SEED
) -> tuple[NDArray[np.int16], list[Truth]]:
    """A recording as int16 samples, and what is in it; the same every time.

    Args:
        script: what is said, and by which voice: (text, accent+variant).
        seed: of gaps, levels and noise.
    """
    rng = np.random.default_rng(seed)
    said = [Utterance(text, voice, WORDS_PER_MINUTE, PITCH) for text, voice in script]
    track, truth = [np.zeros(RATE_HZ, np.float32)], []
    at = RATE_HZ
    for (text, _), sound in zip(script, espeak.speak(said), strict=True):
        word = words.trimmed(sound)
        truth.append(Truth(text, at / RATE_HZ, (at + len(word)) / RATE_HZ))
        gap = np.zeros(int(rng.uniform(*GAPS_S) * RATE_HZ), np.float32)
        track += [word * np.float32(rng.uniform(0.4, 0.9)), gap]
        at += len(word) + len(gap)
    track.append(np.zeros(RATE_HZ, np.float32))
    return words.in_noise(np.concatenate(track), rng), truth


def paired(
    truth: Sequence[Truth], detections: Sequence[Detection]
) -> tuple[list[tuple[Truth, Detection | None]], list[Detection]]:
    """Each word with the detection that is its own, and the detections that are nobody's.

    A detection is a word's if it names it and comes between its start and `LATE_S` after its end.
    """
    left, pairs = list(detections), []
    for each in truth:
        own = next(
            (
                found
                for found in left
                if found.word == each.text and each.start_s <= found.at_s <= each.end_s + LATE_S
            ),
            None,
        )
        if own is not None:
            left.remove(own)
        pairs.append((each, own))
    return pairs, left
