"""Synthesise speech with espeak-ng, from the library inside a fetched wheel.

espeak-ng keeps state between utterances, so the same text can sound slightly
different the second time. Every list of utterances is therefore rendered in
order by a new process: the same list always gives the same samples.
"""

import ctypes
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from audio import resample
from datafolder import data_folder, unpacked_wheel

RETRIEVE_SAMPLES, RATE_PARAMETER, PITCH_PARAMETER, UTF8 = 1, 1, 3, 1
Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Utterance:
    text: str
    voice: str
    words_per_minute: int
    pitch_percent: int


def synthesise(utterances: Sequence[Utterance]) -> list[np.ndarray]:
    """One float32 array at 16 kHz for each utterance."""
    request = json.dumps([asdict(utterance) for utterance in utterances])
    worker = subprocess.run(
        [sys.executable, __file__], input=request.encode(), capture_output=True, check=False
    )
    if worker.returncode:
        raise RuntimeError(f"espeak-ng failed: {worker.stderr.decode(errors='replace')}")
    header, _, pcm = worker.stdout.partition(b"\n")
    layout = json.loads(header)
    ends = np.cumsum(layout["lengths"])[:-1]
    parts = np.split(np.frombuffer(pcm, "<i2"), ends)
    return [resample(part / np.float32(32768), layout["rate_hz"]) for part in parts]


class Engine:
    """The espeak-ng library of the fetched wheel, in this process."""

    def __init__(self, data: Path) -> None:
        folder = unpacked_wheel(data, "espeakng_loader") / "espeakng_loader"
        self.library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
        self.rate_hz = self.library.espeak_Initialize(RETRIEVE_SAMPLES, 0, str(folder).encode(), 0)
        if self.rate_hz <= 0:
            raise RuntimeError(f"espeak-ng cannot read its data in {folder}")
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self.blocks: list[np.ndarray] = []
        self.callback = Callback(self._keep)
        self.library.espeak_SetSynthCallback(self.callback)

    def _keep(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, utterance: Utterance) -> np.ndarray:
        """16-bit samples at rate_hz."""
        if self.library.espeak_SetVoiceByName(utterance.voice.encode()):
            raise ValueError(f"espeak-ng has no voice {utterance.voice!r}")
        self.library.espeak_SetParameter(RATE_PARAMETER, utterance.words_per_minute, 0)
        self.library.espeak_SetParameter(PITCH_PARAMETER, utterance.pitch_percent, 0)
        self.blocks.clear()
        text = utterance.text.encode()
        self.library.espeak_Synth(text, len(text) + 1, 0, 0, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.blocks or [np.zeros(0, np.int16)])


def main() -> None:
    """Worker: utterances as JSON on stdin, a header line and samples on stdout."""
    engine = Engine(data_folder())
    spoken = [engine.say(Utterance(**fields)) for fields in json.load(sys.stdin)]
    header = {"rate_hz": engine.rate_hz, "lengths": [len(samples) for samples in spoken]}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    for samples in spoken:
        sys.stdout.buffer.write(samples.astype("<i2").tobytes())


if __name__ == "__main__":
    main()
