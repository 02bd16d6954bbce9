"""The audio features and their peers beside the float64 formulas, on recordings.

The features are judged by the tolerances of the tests, which docs/features.md explains. How far the
peers are from the same formulas is told beside them and not judged.

    python benchmarks/features/parity.py [FOLDER]

FOLDER holds 16-bit WAV files, at any depth; unless given, the prompts that
`benchmarks/optimizer/workloads/fetch.py silero_vad` unpacks. Nothing is fetched here. Exit code 1
where an error is over its tolerance, 2 where there are no recordings.
"""

import os
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asrfront.whisper
import kaldi_native_fbank
import librosa
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


def librosa_mel(samples, pad_mode: str = "constant") -> np.ndarray:
    """librosa's own energies; it transforms in float64."""
    sizes = {"sr": RATE_HZ, "n_fft": 400, "hop_length": 160, "n_mels": 80}
    return librosa.feature.melspectrogram(y=samples, **sizes, pad_mode=pad_mode).T


def librosa_decibels(samples) -> np.ndarray:
    power = reference.spectrum(samples, 400, 160) ** 2
    return reference.decibels(power @ reference.slaney_filters(RATE_HZ, 400, 80).T)


def librosa_whisper(samples) -> np.ndarray:
    levels = np.log10(np.maximum(librosa_mel(samples, "reflect")[:-1], 1e-10))
    return (np.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0


def pymicro(samples) -> np.ndarray:
    front_end = pymicro_features.MicroFrontend()
    chunks = (samples[at : at + 160].tobytes() for at in range(0, samples.size - 159, 160))
    rows = [front_end.process_samples(chunk).features for chunk in chunks]
    return np.array([row for row in rows if row], np.float32)


@dataclass(frozen=True)
class Pair:
    """Found and expected; a tolerance of None is told, not judged."""

    name: str
    found: np.ndarray
    expected: np.ndarray
    tolerance: np.ndarray | float | None


@dataclass
class Total:
    """Of all recordings."""

    largest: float = 0.0
    sum: float = 0.0
    count: int = 0
    over: int = 0


LIBROSA = LogMel.librosa(80, RATE_HZ, fft_samples=400, hop_samples=160)


def kaldi_pairs(whole: np.ndarray) -> Iterator[Pair]:
    loud = whole.astype(np.float32)
    ours, theirs, exact = LogMel.kaldi()(whole), kaldi_fbank(loud), reference.kaldi(loud)
    bound = reference.float32_bound
    yield Pair("Kaldi fbank-80, float64", ours, exact, bound(exact, 5e-6, 1e-6))
    yield Pair("  kaldi-native-fbank, float64", theirs, exact, None)
    yield Pair("Kaldi fbank-80, kaldi-native-fbank", ours, theirs, bound(theirs, 2e-4, 1e-6))
    ours, theirs = Mfcc.kaldi()(whole), kaldi_mfcc(loud)
    exact = reference.kaldi_cepstra(loud)
    yield Pair("Kaldi MFCC-13, float64", ours, exact, 5e-3)
    yield Pair("  kaldi-native-fbank, float64", theirs, exact, None)
    yield Pair("Kaldi MFCC-13, kaldi-native-fbank", ours, theirs, 5e-3)


def unit_pairs(unit: np.ndarray) -> Iterator[Pair]:
    """Of the features that take -1 to 1."""
    exact = reference.whisper(unit)
    bound = reference.float32_bound(exact, 5e-6, 3e-7, reference.WHISPER_UNIT)
    yield Pair("Whisper log-mel-80, float64", LogMel.whisper()(unit), exact, bound)
    theirs = asrfront.whisper.log_mel(unit, pad_or_trim=False).T
    yield Pair("  asrfront, float64", theirs, exact, None)
    yield Pair("  librosa's energies, float64", librosa_whisper(unit), exact, None)
    exact = librosa_decibels(unit)
    bound = reference.float32_bound(exact, 5e-6, 3e-7, reference.DECIBEL_UNIT)
    yield Pair("librosa log-mel-80 in dB, float64", LIBROSA(unit), exact, bound)
    theirs = librosa.power_to_db(librosa_mel(unit))
    yield Pair("  librosa, float64", theirs, exact, None)


def pairs(whole: np.ndarray) -> Iterator[Pair]:
    """All of one recording."""
    yield from kaldi_pairs(whole)
    yield from unit_pairs(whole.astype(np.float32) / FULL_SCALE)
    yield Pair("MicroFrontend, pymicro-features", MicroFrontend()(whole), pymicro(whole), 0.0)


def add(total: Total, pair: Pair, file: str) -> None:
    assert pair.found.shape == pair.expected.shape, (file, pair.name)
    error = np.abs(pair.found.astype(np.float64) - pair.expected)
    total.largest, total.sum = max(total.largest, error.max()), total.sum + error.sum()
    total.count += error.size
    if pair.tolerance is None:
        return
    over = error - pair.tolerance
    total.over += int((over > 0).sum())
    if (over > 0).any():
        print(f"{pair.name}: {(over > 0).sum()} values over in {file}, by {over.max():.2g}")


def told(name: str, total: Total) -> str:
    mean = total.sum / total.count
    judged = "" if name.startswith(" ") else f"  over {total.over} of {total.count}"
    return f"{name:36} largest {total.largest:.2e}  mean {mean:.2e}{judged}"


def main() -> int:
    paths = sorted(folder().rglob("*.wav"))
    if not paths:
        print(f"no WAV files in {folder()}: name a folder, or run fetch.py of the workloads")
        return 2
    totals: list[tuple[str, Total]] = []
    taken = 0
    for path in paths[:: max(1, len(paths) // FILES)]:
        whole = recording(path)
        if whole.size < RATE_HZ // 2:
            continue
        taken += whole.size
        found = list(pairs(whole))
        totals = totals or [(pair.name, Total()) for pair in found]
        for (_, total), pair in zip(totals, found, strict=True):
            add(total, pair, path.name)
    print(f"{taken / RATE_HZ:.0f} s of {folder()}")
    for name, total in totals:
        print(told(name, total))
    return int(any(total.over for _, total in totals))


if __name__ == "__main__":
    sys.exit(main())
