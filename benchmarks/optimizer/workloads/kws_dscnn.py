"""A small DS-CNN keyword spotter on ten words spoken by espeak-ng, in noise.

The network was trained for this project on words from the espeak-ng voices that
are not in the evaluation list. Training used espeak-ng 1.51; these samples come
from 1.52, which sounds slightly different.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from audio import SAMPLE_RATE_HZ, trim_silence
from protocol import Run, Sample, check_split, seeded
from speech import Utterance, synthesise

NAME = "kws_dscnn"
METRIC = "accuracy over ten words"
LICENSE_NOTE = "model: trained for this project, beside this file; speech: made by espeak-ng"

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ACCENTS = (
    "en-us",
    "en",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-gb-x-gbclan",
    "en-029",
)
VOICES = {
    "calibration": (
        "Andrea",
        "Diogo",
        "Lee",
        "Nguyen",
        "UniRobot",
        "belinda",
        "david",
        "f3",
        "iven2",
        "klatt4",
        "m2",
        "marcelo",
        "robosoft3",
    ),
    "evaluation": (
        "Alex",
        "Alicia",
        "AnxiousAndy",
        "Denis",
        "Gene",
        "Gene2",
        "Hugo",
        "Marco",
        "Mike",
        "RicishayMax3",
        "Tweaky",
        "f1",
        "grandma",
        "grandpa",
        "john",
        "m1",
        "m5",
        "m7",
        "michel",
        "pedro",
        "robert",
        "robosoft6",
        "robosoft7",
        "shelby",
        "steph2",
    ),
}
REPEATS = {"calibration": 1, "evaluation": 2}

MELS, FFT, WINDOW, HOP = 40, 512, 400, 160  # the last three in samples
SHORT_FRAMES = 98  # averaged in pairs to the model's 49
LOWEST_HZ, HIGHEST_HZ = 20, 7600
TRAINING_MEAN, TRAINING_DEVIATION = -1.6743115, 2.4787977


def model(data: Path) -> Path:
    return Path(__file__).with_name("kws_dscnn.onnx")


def samples(split: str) -> Iterator[Sample]:
    """(float32 features [1, 40, 49], index in WORDS, voice)."""
    check_split(split)
    said = list(product(VOICES[split], range(len(WORDS)), range(REPEATS[split])))
    spoken = synthesise([utterance(*key) for key in said])
    for key, word in zip(said, spoken, strict=True):
        voice, label, _ = key
        second = place_in_noise(trim_silence(word), *key)
        yield normalised(log_mel(second)), label, voice


def predict(run: Run, input: np.ndarray) -> int:
    return int(run({"x": input[None]})["logits"][0].argmax())


def score(predictions: list[int], labels: list[int]) -> float:
    return float(np.mean(np.array(predictions) == np.array(labels)))


def utterance(voice: str, word: int, repeat: int) -> Utterance:
    rng, _ = seeded(NAME, "utterance", voice, word, repeat)
    accent = rng.choice(ACCENTS)
    speed, pitch = rng.randint(110, 230), rng.randint(10, 95)
    return Utterance(WORDS[word], f"{accent}+{voice}", speed, pitch)


def place_in_noise(word: np.ndarray, voice: str, label: int, repeat: int) -> np.ndarray:
    """One second with the word somewhere in it, at 3 to 25 dB over noise."""
    rng, noise_rng = seeded(NAME, "noise", voice, label, repeat)
    word = word[:SAMPLE_RATE_HZ]
    second = np.zeros(SAMPLE_RATE_HZ, np.float32)
    start = rng.randint(0, SAMPLE_RATE_HZ - len(word))
    second[start : start + len(word)] = word * rng.uniform(0.3, 1.2)
    white = noise_rng.standard_normal(SAMPLE_RATE_HZ)
    noise = white + np.convolve(white, np.full(16, 1 / 4), "same")  # more power in the lows
    power = np.square(second).sum() / max(len(word), 1) + 1e-9
    noise_power = power / 10 ** (rng.uniform(3, 25) / 10)
    return second + noise * np.sqrt(noise_power) / noise.std()


def log_mel(second: np.ndarray) -> np.ndarray:
    """[40, 98] log energies."""
    starts = range(0, SHORT_FRAMES * HOP, HOP)
    frames = np.stack([second[start : start + WINDOW] for start in starts]) * np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(frames, FFT)))
    return np.log(power @ mel_filters().T + 1e-5).T


def normalised(mel: np.ndarray) -> np.ndarray:
    halved = (mel[:, 0::2] + mel[:, 1::2]) / 2
    return ((halved - TRAINING_MEAN) / TRAINING_DEVIATION).astype(np.float32)[None]


@cache
def mel_filters() -> np.ndarray:
    """Triangles [40, 257], evenly spaced on the mel scale."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges_hz = 700 * (10 ** (np.linspace(lowest, highest, MELS + 2) / 2595) - 1)
    edges = np.floor((FFT + 1) * edges_hz / SAMPLE_RATE_HZ).astype(int)
    filters = np.zeros((MELS, FFT // 2 + 1))
    for index in range(MELS):
        left, centre, right = edges[index : index + 3]
        centre = max(centre, left + 1)
        right = max(right, centre + 1)
        filters[index, left:centre] = (np.arange(left, centre) - left) / (centre - left)
        filters[index, centre:right] = (right - np.arange(centre, right)) / (right - centre)
    return filters
