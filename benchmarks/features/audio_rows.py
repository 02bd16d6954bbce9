"""Audio jobs beside asrfront, kaldi-native-fbank, librosa and pymicro-features."""

from collections.abc import Iterator
from functools import partial
from types import ModuleType

import asrfront.sensevoice
import asrfront.whisper
import kaldi_native_fbank
import librosa
import numpy as np
import pymicro_features
from comparison import Job, Row
from features.speech import speech

RATE_HZ, FULL_SCALE = 16_000, 32_768.0


def nearness(found, expected, tolerance: float, share: float = 1.0) -> str:
    """Raises unless `share` of all values are within `tolerance`."""
    assert found.shape == expected.shape, (found.shape, expected.shape)
    error = np.abs(np.asarray(found, np.float64) - expected)
    within = float((error <= tolerance).mean())
    assert within >= share, f"{within:.6f} within {tolerance}, largest {error.max()}"
    return f"{within:.4%} within {tolerance:g}, largest {error.max():.2g}"


def kaldi_offline(seconds: int) -> Row:
    samples = speech(0, seconds)

    def make(features: ModuleType) -> Job:
        return partial(features.LogMel.kaldi(window="hamming", input_scale=FULL_SCALE), samples)

    def theirs():
        return asrfront.sensevoice.fbank_raw(samples)

    goals = {"avx512": 2.5, "avx2": 2.2}
    return Row(
        f"Kaldi fbank-80 offline, {seconds} s", "asrfront", "frame", len(theirs()), goals, make,
        {"fbank_raw": theirs}, lambda features: nearness(make(features)(), theirs(), 2e-3, 0.999),
    )  # fmt: skip


def whisper() -> Row:
    samples = speech(1, 10)

    def make(features: ModuleType) -> Job:
        return partial(features.LogMel.whisper(), samples)

    def theirs():
        return asrfront.whisper.log_mel(samples, pad_or_trim=False)

    return Row(
        "Whisper log-mel-80, 10 s", "asrfront", "frame", theirs().shape[1],
        {"avx512": 2.0, "avx2": 1.65}, make, {"log_mel": theirs},
        lambda features: nearness(make(features)(), theirs().T, 1e-3),
    )  # fmt: skip


def native_fbank() -> kaldi_native_fbank.OnlineFbank:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    return kaldi_native_fbank.OnlineFbank(options)


def native_mfcc() -> kaldi_native_fbank.OnlineMfcc:
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    return kaldi_native_fbank.OnlineMfcc(options)


def native_rows(online, chunks, read: int = 0) -> Iterator[np.ndarray]:
    """Every frame as soon as it is there, after `read` that were taken before."""
    for chunk in chunks:
        online.accept_waveform(RATE_HZ, chunk)
        while read < online.num_frames_ready:
            yield online.get_frame(read)
            read += 1


def native_stream(online, chunks) -> Job:
    """Counts the frames of one stream that goes on from call to call, as edgekit's does."""
    read = 0

    def more() -> int:
        nonlocal read
        count = sum(1 for _ in native_rows(online, chunks, read))
        read += count
        online.pop(count)  # what was read is let go, in one call
        return count

    return more


def pushed(stream, chunks) -> list[np.ndarray]:
    return [stream.push(chunk) for chunk in chunks]


def counted(stream, chunks) -> int:
    """Frames are looked at and let go, as the peers' are."""
    return sum(len(stream.push(chunk)) for chunk in chunks)


def streaming(chunk_ms: int, goals: dict[str, float]) -> Row:
    samples = (speech(2, 10) * FULL_SCALE).astype(np.float32)
    chunks = np.split(samples, len(samples) // (RATE_HZ * chunk_ms // 1000))
    lists = [chunk.tolist() for chunk in chunks]

    def make(features: ModuleType) -> Job:
        return partial(counted, features.LogMel.kaldi().stream(), chunks)

    def check(features: ModuleType) -> str:
        expected = np.stack(list(native_rows(native_fbank(), chunks)))
        found = np.concatenate(pushed(features.LogMel.kaldi().stream(), chunks))
        return nearness(found, expected, 2e-3, 0.999)

    return Row(
        f"streaming, {chunk_ms} ms chunks, through Python", "kaldi-native-fbank", "frame",
        len(samples) / 160, goals, make,
        {"arrays": native_stream(native_fbank(), chunks),
         "lists": native_stream(native_fbank(), lists)}, check,
    )  # fmt: skip


def mfcc_of_kaldi() -> Row:
    samples = (speech(3, 10) * FULL_SCALE).astype(np.float32)

    def make(features: ModuleType) -> Job:
        return partial(features.Mfcc.kaldi(), samples)

    def theirs():
        return np.stack(list(native_rows(native_mfcc(), [samples])))

    return Row(
        "MFCC-13, 10 s, Kaldi's", "kaldi-native-fbank", "frame", len(theirs()),
        {"avx512": 8.0, "avx2": 6.0}, make,
        {"OnlineMfcc": native_stream(native_mfcc(), [samples])},
        lambda features: nearness(make(features)(), theirs(), 2e-2, 0.999),
    )  # fmt: skip


def mfcc_of_librosa() -> Row:
    samples, rate_hz = speech(3, 10), 22_050

    def make(features: ModuleType) -> Job:
        return partial(features.Mfcc.librosa(num_ceps=13), samples)

    def theirs():
        return librosa.feature.mfcc(y=samples, sr=rate_hz, n_mfcc=13)

    return Row(
        "MFCC-13, 10 s, librosa's", "librosa", "frame", theirs().shape[1],
        {"avx512": 8.0, "avx2": 6.0}, make, {"mfcc": theirs},
        lambda features: nearness(make(features)(), theirs().T, 5e-3),
    )  # fmt: skip


def micro(how: str) -> Row:
    """The peer only takes chunks: beside that, edgekit's chunks and its call for a whole signal."""
    samples = (speech(4, 10) * 30_000).astype(np.int16)
    chunks = np.split(samples, len(samples) // 160)
    raw = [chunk.tobytes() for chunk in chunks]
    front_end = pymicro_features.MicroFrontend()

    def theirs():
        fresh = pymicro_features.MicroFrontend()
        return [row for row in (fresh.process_samples(part).features for part in raw) if row]

    def more() -> int:
        return sum(1 for part in raw if front_end.process_samples(part).features)

    def make(features: ModuleType) -> Job:
        if how == "10 s":
            return partial(features.MicroFrontend(), samples)
        return partial(counted, features.MicroFrontend().stream(), chunks)

    def check(features: ModuleType) -> str:
        by_chunks = np.concatenate(pushed(features.MicroFrontend().stream(), chunks))
        found = features.MicroFrontend()(samples) if how == "10 s" else by_chunks
        return nearness(found, np.array(theirs()), 0.0)

    return Row(
        f"MicroFrontend, {how}, through Python", "pymicro-features", "frame", len(theirs()),
        {"avx512": 4.0, "avx2": 3.0}, make, {"process_samples": more}, check,
    )  # fmt: skip


def rows() -> list[Row]:
    return [
        kaldi_offline(10), kaldi_offline(60), whisper(),
        streaming(10, {"avx512": 7.0, "avx2": 6.5}),
        streaming(100, {"avx512": 30.0, "avx2": 27.0}),
        mfcc_of_kaldi(), mfcc_of_librosa(),
        micro("10 ms chunks"), micro("10 s"),
    ]  # fmt: skip
