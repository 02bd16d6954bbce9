"""Seconds of sound with a known word in them, or another one, or none; every split its own voices.

A voice is one of espeak-ng's variants, in any of seven English accents, at any speed and pitch. Its
samples are in one split only, and so are the words that are no keywords.
"""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import espeak
import numpy as np
from espeak import RATE_HZ, Utterance
from numpy.typing import NDArray

KEYWORDS = ("yes", "no", "start", "stop", "open", "close", "louder", "softer")
UNKNOWN, SILENCE = "(unknown)", "(silence)"
LABELS = (*KEYWORDS, UNKNOWN, SILENCE)
ACCENTS = (
    "en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-gb-x-gbclan", "en-029",
)  # fmt: skip
VOICES = {
    "calibration": (
        "Andrea", "Diogo", "Lee", "Nguyen", "UniRobot", "belinda", "david", "f3", "iven2",
        "klatt4", "m2", "marcelo", "robosoft3",
    ),
    "evaluation": (
        "Alex", "Alicia", "AnxiousAndy", "Denis", "Gene", "Gene2", "Hugo", "Marco", "Mike",
        "RicishayMax3", "Tweaky", "f1", "grandma", "grandpa", "john", "m1", "m5", "m7", "michel",
        "pedro", "robert", "robosoft6", "robosoft7", "shelby", "steph2",
    ),
}  # fmt: skip
"""Training has all the others."""
OTHERS = {
    "training": (
        "water", "table", "garden", "seven", "morning", "window", "paper", "yellow", "never",
        "know how", "starting line", "stock", "often", "opera", "clothes", "cloud", "soft", "sofa",
        "loud", "ladder", "left", "right", "the", "and then", "music", "light", "hello", "today",
        "house", "yesterday", "number", "stopwatch", "story", "go", "guess", "less", "nose", "now",
        "software", "louver", "closet", "happy", "machine", "please", "thank you", "what is it",
        "kitchen", "turn", "picture", "under", "people", "over", "on", "off", "up", "down", "one",
        "two", "three", "stay", "stall", "art", "park", "year", "mess", "low", "note", "hotel",
    ),
    "calibration": ("river", "summer", "door", "apple", "step", "star", "looking", "nothing"),
    "evaluation": (
        "winter", "bicycle", "chair", "airport", "snow", "letter", "mountain", "yet", "shop",
        "stone", "coffee", "follow", "hope", "power", "mother", "upstairs",
    ),
}  # fmt: skip
KEYWORD_REPEATS = {"training": 6, "calibration": 1, "evaluation": 2}
OTHERS_PER_VOICE = {"training": 36, "calibration": 4, "evaluation": 6}
SILENCES_PER_VOICE = 2
SEED = 2026


@dataclass(frozen=True)
class Spoken:
    """A word as a voice says it, without the silence around it: float32 from -1 to 1."""

    label: int
    voice: str
    samples: NDArray[np.float32]


def samples(split: str) -> Iterator[tuple[NDArray[np.int16], int, str]]:
    """(one second of int16 samples at 16 kHz, index in LABELS, voice), the same every time."""
    for number, word in enumerate(spoken(split)):
        rng = np.random.default_rng((SEED, zlib.crc32(split.encode()), number))
        yield in_noise(placed(word.samples, rng), rng), word.label, word.voice
    for voice in voices(split):
        for number in range(SILENCES_PER_VOICE):
            rng = np.random.default_rng((SEED, zlib.crc32(voice.encode()), number))
            yield in_noise(np.zeros(RATE_HZ, np.float32), rng), LABELS.index(SILENCE), voice


def spoken(split: str) -> list[Spoken]:
    """Every word of a split."""
    said = [(label, *one) for label, one in utterances(split)]
    words = espeak.speak([utterance for _, _, utterance in said])
    return [
        Spoken(LABELS.index(label), voice, trimmed(word))
        for (label, voice, _), word in zip(said, words, strict=True)
    ]


def utterances(split: str) -> Iterator[tuple[str, tuple[str, Utterance]]]:
    """(label, (voice, what it says)) of a split: keywords and others."""
    rng = random.Random(f"{SEED} {split}")
    for voice in voices(split):
        others = [OTHERS[split][rng.randrange(len(OTHERS[split]))]
                  for _ in range(OTHERS_PER_VOICE[split])]  # fmt: skip
        keywords = [(word, word) for word in KEYWORDS for _ in range(KEYWORD_REPEATS[split])]
        for label, text in (*keywords, *((UNKNOWN, other) for other in others)):
            accent, speed, pitch = rng.choice(ACCENTS), rng.randint(130, 220), rng.randint(15, 85)
            yield label, (voice, Utterance(text, f"{accent}+{voice}", speed, pitch))


def voices(split: str) -> tuple[str, ...]:
    """The variants of a split."""
    if split in VOICES:
        return VOICES[split]
    if split != "training":
        raise KeyError(split)
    folder = espeak.fetch() / "espeakng_loader/espeak-ng-data/voices/!v"
    held_out = {voice for each in VOICES.values() for voice in each}
    found = {path.name for path in Path(folder).iterdir()}
    return tuple(sorted(found - held_out))


def trimmed(word: NDArray[np.float32], threshold: float = 0.01) -> NDArray[np.float32]:
    """The word without silence before and after."""
    loud = np.flatnonzero(np.abs(word) > threshold)
    return word[loud[0] : loud[-1] + 1] if loud.size else word


def placed(word: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """One second with the word somewhere in it, louder or softer."""
    second, word = np.zeros(RATE_HZ, np.float32), word[:RATE_HZ]
    start = int(rng.integers(0, RATE_HZ - len(word) + 1))
    second[start : start + len(word)] = word * rng.uniform(0.15, 1.0)
    return second


def in_noise(clean: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int16]:
    """Sound with noise below it, as int16: 5 to 30 dB below it, or alone where there is none."""
    white = rng.standard_normal(len(clean))
    depth = int(rng.integers(1, 24))
    noise = np.convolve(white, np.full(depth, 1 / depth), "same")  # more power in the lows
    power = float(np.square(clean).mean())
    level = np.sqrt(power * 10 ** (-rng.uniform(5, 30) / 10)) if power > 0 else 0.0
    level = max(level, 10 ** rng.uniform(-4, -2) if power == 0 else 1e-4)
    mixed = clean + noise * (level / noise.std())
    return np.round(mixed * 32767).clip(-32768, 32767).astype(np.int16)
