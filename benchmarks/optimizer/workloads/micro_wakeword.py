"""microWakeWord 'okay nabu', an int8 streaming TFLite model, on espeak-ng voices in noise.

The interpreter keeps the network's state between calls and has no reset that all
runtimes share, so every clip starts with two seconds of faint noise, which
flushes what the clip before it left; outputs before FLUSHED are not counted.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from audio import SAMPLE_RATE_HZ, gain_for_snr, pink_noise, rms, trim_silence
from datafolder import data_folder, import_from_wheel, unpacked_wheel
from protocol import Run, Sample, check_split, seeded
from scipy.stats import rankdata
from speech import Utterance, synthesise

NAME = "micro_wakeword"
METRIC = "area under the ROC curve, wake phrase against other phrases"
LICENSE_NOTE = (
    "model: Apache-2.0 (pymicro-wakeword); front end: Apache-2.0 (pymicro-features); "
    "speech: made by espeak-ng"
)

WAKE_PHRASE = "Okay Naboo"
OTHER_PHRASES = (
    "okay now do it",
    "okay but who",
    "hey neighbour",
    "a canoe",
    "open the window",
    "Alexa",
    "the weather is nice today",
    "electric jars are heavy",
)
WAKE_REPEATS = 4
VOICES = {
    "calibration": (
        "en-us+f3",
        "en+m2",
        "en-gb-x-rp+david",
        "en-029+f4",
        "en-us+marcelo",
        "en-gb-scotland+belinda",
    ),
    "evaluation": (
        "en-us+f1",
        "en+m1",
        "en-us+m3",
        "en-gb-x-rp+f3",
        "en-us+Annie",
        "en+Alex",
        "en-us+steph",
        "en+caleb",
        "en-us+john",
        "en-029+linda",
        "en-gb-scotland+m5",
        "en-gb-x-gbclan+f5",
        "en-gb-x-gbcwmd+m7",
        "en-us+Gene",
        "en+grandma",
        "en-us+grandpa",
        "en+zac",
        "en-us+michel",
        "en-gb-x-rp+Andy",
        "en-us+boris",
        "en+shelby",
        "en-029+victor",
        "en-us+quincy",
        "en-gb-scotland+Mike",
        "en+aunty",
    ),
}
INPUT, OUTPUT = "serving_default_input_audio:0", "StatefulPartitionedCall:0"
INPUT_SCALE, INPUT_ZERO_POINT = 0.10196078568696976, -128
STRIDE, MELS, SMOOTHED_OUTPUTS = 3, 40, 5
FLUSHED = 60  # strides of 30 ms
HOP = SAMPLE_RATE_HZ // 100  # samples in 10 ms
FAINT = 2e-3  # amplitude of the noise before and after a phrase


def model(data: Path) -> Path:
    """A TFLite file: this workload has no ONNX model."""
    return unpacked_wheel(data, "pymicro_wakeword") / "pymicro_wakeword/models/okay_nabu.tflite"


def samples(split: str) -> Iterator[Sample]:
    """(int8 features [strides, 1, 3, 40], is the wake phrase, voice)."""
    check_split(split)
    phrases = (*[WAKE_PHRASE] * WAKE_REPEATS, *OTHER_PHRASES)
    said = list(product(VOICES[split], enumerate(phrases)))
    spoken = synthesise([utterance(voice, *phrase) for voice, phrase in said])
    for (voice, (number, phrase)), audio in zip(said, spoken, strict=True):
        clip = place_in_noise(trim_silence(audio), voice, number)
        yield feature_strides(clip), phrase == WAKE_PHRASE, voice


def predict(run: Run, input: np.ndarray) -> float:
    """Highest mean of five consecutive outputs, 0..1; one call a stride (30 ms)."""
    outputs = [run({INPUT: stride})[OUTPUT][0, 0] / 256 for stride in input]
    heard = outputs[FLUSHED:]
    smoothed = np.convolve(heard, np.full(SMOOTHED_OUTPUTS, 1 / SMOOTHED_OUTPUTS), "valid")
    return float(smoothed.max())


def score(predictions: list[float], labels: list[bool]) -> float:
    is_wake = np.array(labels)
    positives, negatives = is_wake.sum(), (~is_wake).sum()
    rank_sum = rankdata(predictions)[is_wake].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def utterance(voice: str, number: int, phrase: str) -> Utterance:
    rng, _ = seeded(NAME, "utterance", voice, number)
    return Utterance(phrase, voice, rng.randint(120, 190), rng.randint(25, 75))


def place_in_noise(phrase: np.ndarray, voice: str, number: int) -> np.ndarray:
    """Two seconds of faint noise, the phrase at 3 to 20 dB over pink noise, half a second more."""
    rng, noise_rng = seeded(NAME, "noise", voice, number)
    noise = pink_noise(noise_rng, len(phrase) // 2 * 2)
    phrase = phrase[: len(noise)]
    noisy = phrase + noise * gain_for_snr(rms(phrase), rms(noise), rng.uniform(3, 20))
    before, after = 2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2
    clip = np.concatenate([np.zeros(before), noisy / np.abs(noisy).max() / 2, np.zeros(after)])
    return clip + FAINT * noise_rng.standard_normal(len(clip))


def feature_strides(clip: np.ndarray) -> np.ndarray:
    frontend = import_from_wheel(data_folder(), "pymicro_features").MicroFrontend()
    pcm = (clip.clip(-1, 1) * 32767).astype("<i2")
    frames = []
    for start in range(0, len(pcm) - HOP + 1, HOP):
        features = frontend.process_samples(pcm[start : start + HOP].tobytes()).features
        if features:
            frames.append(features)
    whole = len(frames) // STRIDE * STRIDE
    quantized = np.round(np.array(frames[:whole]) / INPUT_SCALE + INPUT_ZERO_POINT)
    return quantized.clip(-128, 127).astype(np.int8).reshape(-1, 1, STRIDE, MELS)
