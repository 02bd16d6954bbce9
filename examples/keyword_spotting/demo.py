"""From a model to words heard in a stream, with the commands and calls that an app would have.

Run it with `make demo-kws`, or `python examples/keyword_spotting/demo.py` where `edgekit[convert]`
is installed. What it makes lies in `.demo/kws`. It exits with 1 where the stream's features are
not those of the whole recording, or where a word was missed or made up.
"""

import os
import shlex
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import recording
from espeak import RATE_HZ, FetchError
from numpy.typing import NDArray
from recording import Truth
from spotting import Detection, Spotter, mean, of_bundle, windows
from words import KEYWORDS

import edgekit
from edgekit.features import LogMel
from edgekit.manifest import LogMelSpec

HERE = Path(os.path.relpath(Path(__file__).parent))  # short, for the commands it shows
OUT = Path(".demo/kws")
BUNDLE = OUT / "kws-1.0.edgekit"
CHUNK_MS = 10


def main() -> int:
    """Run every step; returns the exit code."""
    OUT.mkdir(parents=True, exist_ok=True)
    title("Fetch the voices, once")
    recording.voices()
    started = time.monotonic()
    title("Optimize for this machine, at most one point worse, and pack")
    optimize()
    title("Make a recording with keywords and other words in it")
    sound = OUT / "recording.wav"
    truth = recording.make(sound)
    print(f"{sound}: {', '.join(each.text for each in truth)}")
    title(f"Stream it in chunks of {CHUNK_MS} ms")
    samples = read_wav(sound)
    with edgekit.load(BUNDLE) as model:
        spec, _ = of_bundle(model)
        detections = listen(model, samples)
    missed, extra = compare(truth, detections)
    same = features_have_equal_bits(spec, samples)
    print(f"Features of the stream and of the whole recording: {'equal' if same else 'OTHER'} bits")
    print(f"Took {time.monotonic() - started:.0f} s after the download.")
    return int(missed + extra > 0 or not same)


def title(text: str) -> None:
    """Say what comes next."""
    print(f"\n== {text}", flush=True)


def optimize() -> None:
    """Pack the cheapest model that is within the budget, as a user would."""
    words = [
        "optimize", str(HERE / "model.onnx"), "--task", str(HERE / "task.py"), "--target", "host",
        "--max-drop", "0.01", "--out", str(OUT), "--name", "kws", "--version", "1.0",
        "--cpu-seconds", "50",
    ]  # fmt: skip
    print(f"$ {shlex.join(['edgekit', *words])}", flush=True)
    program = str(Path(sys.executable).with_name("edgekit"))
    code = subprocess.run([program, *words], check=False).returncode
    if code:
        sys.exit(code)


def read_wav(path: Path) -> NDArray[np.int16]:
    """Samples of a mono 16-bit file at 16 kHz."""
    with wave.open(str(path)) as file:
        found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if found != (1, 2, RATE_HZ):
            sys.exit(f"demo: {path}: channels, bytes and rate are {found}, not (1, 2, {RATE_HZ})")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def listen(model: edgekit.Model, samples: NDArray[np.int16]) -> list[Detection]:
    """Feed the recording chunk by chunk; returns what was heard."""
    spotter = Spotter(KEYWORDS)
    found = list(windows(model, samples, RATE_HZ * CHUNK_MS // 1000))
    detections = (spotter.push(window.scores, window.at_s) for window in found)
    print(
        f"{len(samples) / RATE_HZ:.1f} s of sound, {len(found)} windows; for each one "
        f"{mean(window.features_ms for window in found):.2f} ms of features and "
        f"{mean(window.model_ms for window in found):.2f} ms of model"
    )
    return [detection for detection in detections if detection is not None]


def compare(truth: list[Truth], detections: list[Detection]) -> tuple[int, int]:
    """Print what was said beside what was heard; returns how many were missed and made up."""
    pairs, extra = recording.paired(truth, detections)
    print(f"{'said':>12}  {'from':>6} {'to':>6}   {'heard':<12} {'at':>6} {'score':>6}")
    for each, found in pairs:
        heard = f"{found.word:<12} {found.at_s:6.2f} {found.score:6.2f}" if found else "-"
        print(f"{each.text:>12}  {each.start_s:6.2f} {each.end_s:6.2f}   {heard}")
    for each in extra:
        print(f"{'':>12}  {'':>6} {'':>6}   {each.word:<12} {each.at_s:6.2f} {each.score:6.2f}")
    missed = sum(each.text in KEYWORDS and found is None for each, found in pairs)
    print(f"{missed} keywords missed, {len(extra)} made up")
    return missed, len(extra)


def features_have_equal_bits(spec: LogMelSpec, samples: NDArray[np.int16]) -> bool:
    """Whether chunks of 10 ms, and chunks of any length, give the bits of the whole recording."""
    features = LogMel(spec)
    whole = features(samples)
    for seed in (None, 1):
        rng = np.random.default_rng(seed or 0)
        stream, rows, start = features.stream(), [], 0
        while start < len(samples):
            length = int(rng.integers(0, 700)) if seed else RATE_HZ * CHUNK_MS // 1000
            rows.append(stream.push(samples[start : start + length]))
            start += length
        rows.append(stream.flush())
        if np.concatenate(rows).tobytes() != whole.tobytes():
            return False
    return True


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FetchError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
