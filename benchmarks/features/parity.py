"""The audio features beside their peers on recordings: the largest errors, and what tests allow.

    python benchmarks/features/parity.py [FOLDER]

FOLDER holds 16-bit WAV files, at any depth; unless given, the prompts that
`benchmarks/optimizer/workloads/fetch.py silero_vad` unpacks. Nothing is fetched here. Exit code 1
where an error is over its tolerance, 2 where there are no recordings.
"""

import os
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import pymicro_features
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from features import reference

from edgekit.features import LogMel, Mfcc, MicroFrontend

RATE_HZ, FULL_SCALE, FILES = 16_000, np.float32(32_768), 120
PROMPTS = "debian/asterisk-core-sounds-en-wav/usr/share/asterisk"


def folder() -> Path:
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    cache = os.environ.get("EDGEKIT_WORKLOADS") or "~/.cache/edgekit-workloads"
    return Path(cache).expanduser() / PROMPTS


def recording(path: Path) -> np.ndarray:
    """Mono int16 at 16 kHz."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise SystemExit(
                f"{path} has {8 * file.getsampwidth()}-bit samples: give 16-bit WAV files"
            )
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        pcm, rate_hz = pcm.reshape(-1, file.getnchannels()).mean(1), file.getframerate()
    if rate_hz != RATE_HZ:
        pcm = resample_poly(pcm, RATE_HZ, rate_hz)
    return np.clip(np.round(pcm), -32_768, 32_767).astype(np.int16)


def frames_of(online, samples) -> np.ndarray:
    online.accept_waveform(RATE_HZ, samples.tolist())
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)])


def kaldi_fbank(samples) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    return frames_of(kaldi_native_fbank.OnlineFbank(options), samples)


def kaldi_mfcc(samples) -> np.ndarray:
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    return frames_of(kaldi_native_fbank.OnlineMfcc(options), samples)


def librosa_decibels(samples) -> np.ndarray:
    power = reference.spectrum(samples, 400, 160) ** 2
    return reference.decibels(power @ reference.slaney_filters(RATE_HZ, 400, 80).T)


def pymicro(samples) -> np.ndarray:
    front_end = pymicro_features.MicroFrontend()
    chunks = (samples[at : at + 160].tobytes() for at in range(0, samples.size - 159, 160))
    rows = [front_end.process_samples(chunk).features for chunk in chunks]
    return np.array([row for row in rows if row], np.float32)


def near(expected, absolute: float, rounding: float) -> np.ndarray:
    """`absolute`, and the rounding of the loudest amplitude of the frame as each bin sees it."""
    return absolute + rounding * np.exp((expected.max(1, keepdims=True) - expected) / 2)


LIBROSA = LogMel.librosa(80, RATE_HZ, fft_samples=400, hop_samples=160)


def comparisons(
    whole: np.ndarray,
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray | float]]:
    """Name, ours, theirs, and the tolerance that the tests state, of one recording."""
    loud = whole.astype(np.float32)
    unit = loud / FULL_SCALE
    fbank, exact = LogMel.kaldi()(whole), reference.kaldi(loud)
    yield "Kaldi fbank-80, float64 formula", fbank, exact, near(exact, 5e-6, 1e-6)
    theirs = kaldi_fbank(loud)
    yield "Kaldi fbank-80, kaldi-native-fbank", fbank, theirs, near(theirs, 2e-4, 1e-6)
    yield "Kaldi MFCC-13, kaldi-native-fbank", Mfcc.kaldi()(whole), kaldi_mfcc(loud), 5e-3
    yield (
        "Whisper log-mel-80, float64 formula",
        LogMel.whisper()(unit),
        reference.whisper(unit),
        4e-5,
    )
    yield "librosa log-mel-80 in dB, float64 formula", LIBROSA(unit), librosa_decibels(unit), 2e-3
    yield "MicroFrontend, pymicro-features", MicroFrontend()(whole), pymicro(whole), 0.0


def main() -> int:
    paths = sorted(folder().rglob("*.wav"))
    if not paths:
        print(f"no WAV files in {folder()}: name a folder, or run fetch.py of the workloads")
        return 2
    rows: dict[str, list[float]] = {}
    taken = 0
    for path in paths[:: max(1, len(paths) // FILES)]:
        whole = recording(path)
        if whole.size < RATE_HZ // 2:
            continue
        taken += whole.size
        for name, found, expected, tolerance in comparisons(whole):
            assert found.shape == expected.shape, (path, name, found.shape, expected.shape)
            error = np.abs(found.astype(np.float64) - expected)
            over = error - tolerance
            row = rows.setdefault(name, [0.0, 0.0, 0, 0])
            row[0], row[1] = max(row[0], error.max()), row[1] + error.sum()
            row[2], row[3] = row[2] + error.size, row[3] + int((over > 0).sum())
            if (over > 0).any():
                print(f"{name}: {(over > 0).sum()} values over in {path.name}, by {over.max():.2g}")
    print(f"{taken / RATE_HZ:.0f} s of {folder()}")
    for name, (largest, total, count, over) in rows.items():
        print(f"{name:42} largest {largest:.2e}  mean {total / count:.2e}  over {over} of {count}")
    return int(any(row[3] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
