"""basic-pitch on chords of General MIDI instruments rendered from a soundfont."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datafolder import data_folder, import_from_wheel, unpacked_deb, unpacked_wheel
from protocol import Run, Sample, check_split, pooled_f1, seeded

NAME = "basic_pitch"
METRIC = "F1 of sounding notes (11.6 ms frames x 88 keys) at probability 0.5, all clips pooled"
LICENSE_NOTE = (
    "model: Apache-2.0 (basic-pitch); soundfont: GPL-2 (timgm6mb-soundfont); "
    "renderer: MIT (tinysoundfont)"
)

SAMPLE_RATE_HZ, CLIP = 22_050, 43_844  # CLIP in samples: the model's fixed input
FRAMES, KEYS, LOWEST_KEY = 172, 88, 21
FRAMES_PER_S = SAMPLE_RATE_HZ / 256
NOTE_THRESHOLD = 0.5
PROGRAMS = {  # General MIDI programs, counted from 0
    "calibration": {"vibraphone": 11, "acoustic bass": 32, "tenor sax": 66, "clarinet": 71},
    "evaluation": {"piano": 0, "church organ": 19, "violin": 40, "trumpet": 56},
}
CLIPS_PER_PROGRAM = {"calibration": 8, "evaluation": 25}
INPUT, NOTES = "serving_default_input_2:0", "StatefulPartitionedCall:1"


@dataclass(frozen=True)
class Note:
    start_s: float
    end_s: float
    key: int
    velocity: int


def model(data: Path) -> Path:
    return saved_models(data) / "nmp.onnx"


def model_tflite(data: Path) -> Path:
    """The same network as TFLite, with the same input and output names."""
    return saved_models(data) / "nmp.tflite"


def samples(split: str) -> Iterator[Sample]:
    """(float32 audio [43844, 1] at 22.05 kHz, bool [172, 88] key sounds, instrument)."""
    check_split(split)
    for instrument, program in PROGRAMS[split].items():
        for number in range(CLIPS_PER_PROGRAM[split]):
            rng, _ = seeded(NAME, instrument, number)
            notes = compose(rng)
            yield render(notes, program)[:, None], piano_roll(notes), instrument


def predict(run: Run, input: np.ndarray) -> np.ndarray:
    return run({INPUT: input[None]})[NOTES][0] > NOTE_THRESHOLD


def score(predictions: list[np.ndarray], labels: list[np.ndarray]) -> float:
    return pooled_f1(predictions, labels)


def saved_models(data: Path) -> Path:
    return unpacked_wheel(data, "basic_pitch") / "basic_pitch" / "saved_models" / "icassp_2022"


def compose(rng: random.Random) -> list[Note]:
    """Chords of one to three notes, 0.2 to 0.6 s each, up to 1.9 s."""
    notes: list[Note] = []
    start_s, largest_chord = 0.05, rng.randint(1, 3)
    while start_s < 1.7:
        length_s = rng.uniform(0.2, 0.6)
        end_s = min(start_s + length_s, 1.9)
        for key in rng.sample(range(48, 84), rng.randint(1, largest_chord)):
            notes.append(Note(start_s, end_s, key, rng.randint(70, 114)))
        start_s += length_s + rng.uniform(0, 0.1)
    return notes


def piano_roll(notes: list[Note]) -> np.ndarray:
    roll = np.zeros((FRAMES, KEYS), bool)
    for note in notes:
        frames = slice(int(note.start_s * FRAMES_PER_S), int(np.ceil(note.end_s * FRAMES_PER_S)))
        roll[frames, note.key - LOWEST_KEY] = True
    return roll


def render(notes: list[Note], program: int) -> np.ndarray:
    """Mono float32 [43844]."""
    synth = new_synth(program)
    ends = [(note.end_s, 0, note) for note in notes]
    events = sorted(ends + [(note.start_s, 1, note) for note in notes], key=lambda e: e[:2])
    blocks, position = [], 0
    for time_s, is_start, note in events:
        blocks.append(generate(synth, int(time_s * SAMPLE_RATE_HZ) - position))
        position = int(time_s * SAMPLE_RATE_HZ)
        if is_start:
            synth.noteon(0, note.key, note.velocity)
        else:
            synth.noteoff(0, note.key)
    blocks.append(generate(synth, CLIP - position))
    return np.concatenate(blocks)


def new_synth(program: int) -> Any:
    tinysoundfont = import_from_wheel(data_folder(), "tinysoundfont")
    soundfonts = unpacked_deb(data_folder(), "timgm6mb-soundfont") / "usr/share/sounds/sf2"
    synth = tinysoundfont.Synth(samplerate=SAMPLE_RATE_HZ)
    soundfont = synth.sfload(str(soundfonts / "TimGM6mb.sf2"))
    synth.program_select(0, soundfont, 0, program)
    return synth


def generate(synth: Any, count: int) -> np.ndarray:
    if count == 0:
        return np.zeros(0, np.float32)
    stereo = np.frombuffer(synth.generate_simple(count), np.float32)
    return stereo.reshape(-1, 2).mean(axis=1)
