"""Silero VAD, stateful, on studio prompts with pauses, under noise and music."""

import random
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from audio import SAMPLE_RATE_HZ, gain_for_snr, pink_noise, read_wav, rms, white_noise
from datafolder import data_folder, unpacked_deb, unpacked_wheel
from protocol import CALIBRATION, Run, Sample, check_split, pooled_f1, seeded

NAME = "silero_vad"
METRIC = "F1 of speech frames (32 ms) at probability 0.5, all frames of all clips pooled"
LICENSE_NOTE = (
    "model: MIT (silero-vad); prompts: CC-BY-SA 3.0 (asterisk-core-sounds-en-wav); "
    "music: CC-BY-SA (asterisk-moh-opsound-wav)"
)

FRAME, CONTEXT = 512, 64  # samples
CLIP = 4 * SAMPLE_RATE_HZ  # samples
CLIPS = {"calibration": 32, "evaluation": 160}
SILENT_EVERY = 4  # one clip in four has no speech
SPEECH_THRESHOLD = 0.5
NOISES, SNRS_DB = ("white", "pink", "music"), (0, 5, 10, 20)
MUSIC_TRACKS = {"calibration": slice(0, 1), "evaluation": slice(1, 3)}
NOT_SPEECH = ("silence", "beep", "tone", "tt-", "monkeys")  # parts of file names


def model(data: Path) -> Path:
    wheel = unpacked_wheel(data, "silero_vad")
    return wheel / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"


def samples(split: str) -> Iterator[Sample]:
    """(float32 audio [64000] at 16 kHz, bool [125] frame is speech, clip).

    A prompt is used in one clip only, and the splits share no music track.
    """
    check_split(split)
    waiting = prompts(split)
    for number in range(CLIPS[split]):
        rng, noise_rng = seeded(NAME, split, number)
        is_silent = number % SILENT_EVERY == SILENT_EVERY - 1
        clean = np.zeros(CLIP, np.float32) if is_silent else speech_clip(waiting, rng)
        is_speech = speech_frames(clean)
        noise = make_noise(split, rng, noise_rng)
        loudness = rms(clean[np.repeat(is_speech, FRAME)]) if is_speech.any() else 0.05
        noisy = clean + noise * gain_for_snr(loudness, rms(noise), rng.choice(SNRS_DB))
        clip = (noisy / max(1.0, np.abs(noisy).max())).astype(np.float32)
        yield clip, is_speech, f"{split}-{number}"


def predict(run: Run, input: np.ndarray) -> np.ndarray:
    """Bool for each frame; one call a frame, the state carried over."""
    state = np.zeros((2, 1, 128), np.float32)
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), input])
    is_speech = np.zeros(len(input) // FRAME, bool)
    for frame in range(len(is_speech)):
        start = frame * FRAME
        outputs = run(
            {
                "input": padded[None, start : start + CONTEXT + FRAME],
                "state": state,
                "sr": np.array(SAMPLE_RATE_HZ, np.int64),
            }
        )
        state = outputs["stateN"]
        is_speech[frame] = outputs["output"][0, 0] > SPEECH_THRESHOLD
    return is_speech


def score(predictions: list[np.ndarray], labels: list[np.ndarray]) -> float:
    return pooled_f1(predictions, labels)


def prompts(split: str) -> Iterator[np.ndarray]:
    """Every fifth prompt is for calibration, the others for evaluation, shuffled."""
    folder = unpacked_deb(data_folder(), "asterisk-core-sounds-en-wav") / "usr/share/asterisk"
    paths = [
        path
        for path in sorted(folder.rglob("*.wav"))
        if not any(part in path.relative_to(folder).as_posix() for part in NOT_SPEECH)
    ]
    chosen = [p for i, p in enumerate(paths) if (i % 5 == 4) == (split == CALIBRATION)]
    rng, _ = seeded(NAME, split, "prompts")
    rng.shuffle(chosen)
    yield from map(read_wav, chosen)


def speech_clip(waiting: Iterator[np.ndarray], rng: random.Random) -> np.ndarray:
    """Prompts one after the other with pauses of 0.4 to 1.5 s."""
    clip = np.zeros(CLIP, np.float32)
    position = rng.randrange(SAMPLE_RATE_HZ)
    while position < CLIP - SAMPLE_RATE_HZ // 2:
        prompt = next(waiting)[: CLIP - position]
        clip[position : position + len(prompt)] = prompt
        position += len(prompt) + int(rng.uniform(0.4, 1.5) * SAMPLE_RATE_HZ)
    return clip


def speech_frames(clean: np.ndarray) -> np.ndarray:
    """Frames above 3 % of the loudest, with gaps of up to 8 frames (256 ms) closed."""
    energy = np.sqrt(np.square(clean.reshape(-1, FRAME)).mean(axis=1))
    is_speech = energy > max(0.03 * energy.max(), 1e-3)
    loud = np.flatnonzero(is_speech)
    for before, after in pairwise(loud):
        if after - before <= 8:
            is_speech[before:after] = True
    return is_speech


def make_noise(split: str, rng: random.Random, noise_rng: np.random.Generator) -> np.ndarray:
    kind = rng.choice(NOISES)
    if kind == "white":
        return white_noise(noise_rng, CLIP)
    if kind == "pink":
        return pink_noise(noise_rng, CLIP)
    track = rng.choice(music(split))
    start = rng.randrange(len(track) - CLIP)
    return track[start : start + CLIP]


@cache
def music(split: str) -> tuple[np.ndarray, ...]:
    folder = unpacked_deb(data_folder(), "asterisk-moh-opsound-wav") / "usr/share/asterisk/moh"
    return tuple(map(read_wav, sorted(folder.glob("*.wav"))[MUSIC_TRACKS[split]]))
