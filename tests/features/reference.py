"""The features in float64 NumPy, written from their definitions and not from the kernels."""

import numpy as np


def float32_bound(levels, near, rounding, unit=1.0):
    """What float32 transforms allow for `levels`, natural logarithms times `unit` of energies.

    `near` is a share of the energy, `rounding` one of the loudest amplitude of the frame: every
    output of a float32 transform is a sum over all of the frame, rounded at that size. A bin with a
    7,000th of that amplitude has 7,000 times that share in doubt.
    """
    louder = np.exp((levels.max(1, keepdims=True) - levels) / (2 * unit))
    return unit * (near + rounding * louder)


WHISPER_UNIT, DECIBEL_UNIT = 1 / (4 * np.log(10)), 10 / np.log(10)


def povey_window(n):
    return np.hanning(n) ** 0.85


def kaldi_mel(hz):
    return 1127.0 * np.log(1.0 + np.asarray(hz) / 700.0)


def kaldi_filters(rate_hz, fft_samples, bins, low_hz, high_hz):
    """(bins, fft_samples / 2): triangles on the mel axis, without the Nyquist bin."""
    edges = np.linspace(kaldi_mel(low_hz), kaldi_mel(high_hz), bins + 2)
    mel = kaldi_mel(np.arange(fft_samples // 2) * rate_hz / fft_samples)
    rise = (mel - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - mel) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall))


def frames_of(samples, length, hop):
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]


def kaldi(samples, bins=80, rate_hz=16_000, low_hz=20.0, high_hz=None):
    """Kaldi's fbank without dither: (frames, bins)."""
    length, hop = rate_hz * 25 // 1000, rate_hz // 100
    fft_samples = 1 << (length - 1).bit_length()
    frames = frames_of(np.asarray(samples, np.float64), length, hop)
    frames = frames - frames.mean(1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    frames = (frames - 0.97 * before) * povey_window(length)
    power = np.abs(np.fft.rfft(frames, fft_samples)) ** 2
    filters = kaldi_filters(rate_hz, fft_samples, bins, low_hz, high_hz or rate_hz / 2)
    energies = power[:, : fft_samples // 2] @ filters.T
    return np.log(np.maximum(energies, np.finfo(np.float32).eps))


def slaney_filters(rate_hz, fft_samples, bins):
    """(bins, fft_samples / 2 + 1), as `librosa.filters.mel` with its defaults."""
    step = np.log(6.4) / 27.0
    top = 15.0 + np.log(rate_hz / 2 / 1000.0) / step
    mels = np.linspace(0.0, top, bins + 2)
    edges = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(step * (mels - 15.0)))
    return hertz_triangles(edges, rate_hz, fft_samples) * area(edges)


def htk_filters(rate_hz, fft_samples, bins):
    """(bins, fft_samples / 2 + 1), as `librosa.filters.mel(htk=True, norm=None)`."""
    edges = 700 * np.expm1(np.linspace(0, kaldi_mel(rate_hz / 2), bins + 2) / 1127)
    return hertz_triangles(edges, rate_hz, fft_samples)


def hertz_triangles(edges, rate_hz, fft_samples):
    hz = np.linspace(0, rate_hz / 2, fft_samples // 2 + 1)
    rise = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall))


def area(edges):
    return (2.0 / (edges[2:] - edges[:-2]))[:, None]


def spectrum(samples, fft_samples, hop, window_samples=None, pad_mode="constant"):
    """|STFT| as librosa's, centred, periodic Hann: (frames, fft_samples / 2 + 1)."""
    window_samples = window_samples or fft_samples
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_samples) / window_samples)
    before = (fft_samples - window_samples) // 2
    window = np.pad(hann, (before, fft_samples - window_samples - before))
    padded = np.pad(np.asarray(samples, np.float64), fft_samples // 2, mode=pad_mode)
    return np.abs(np.fft.rfft(frames_of(padded, fft_samples, hop) * window))


def decibels(power, range_db=80.0):
    """`librosa.power_to_db` with ref=1."""
    levels = 10 * np.log10(np.maximum(power, 1e-10))
    return levels if range_db is None else np.maximum(levels, levels.max() - range_db)


def cepstra(levels, count, lifter=0.0, lifter_from=0):
    """The first coefficients of the orthonormal DCT-II of each row, liftered."""
    bins = levels.shape[1]
    turns = np.outer(np.arange(bins) + 0.5, np.arange(count)) * np.pi / bins
    scale = np.where(np.arange(count) == 0, np.sqrt(1 / bins), np.sqrt(2 / bins))
    weights = np.ones(count)
    if lifter:
        weights = 1 + lifter / 2 * np.sin(np.pi * (np.arange(count) + lifter_from) / lifter)
    return levels @ np.cos(turns) * scale * weights


def kaldi_cepstra(samples):
    """Kaldi's MFCC of its defaults, with the energy in front: (frames, 13)."""
    found = cepstra(kaldi(samples, 23), 13, lifter=22.0)
    frames = frames_of(np.asarray(samples, np.float64), 400, 160)
    found[:, 0] = np.log(((frames - frames.mean(1, keepdims=True)) ** 2).sum(1))
    return found


def whisper(samples, bins=80):
    """`log_mel_spectrogram` of openai-whisper at 16 kHz, as (frames, bins), in float64."""
    padded = np.pad(np.asarray(samples, np.float64), 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitudes = np.abs(np.fft.rfft(frames_of(padded, 400, 160) * window))[:-1] ** 2
    log_spec = np.log10(np.maximum(magnitudes @ slaney_filters(16_000, 400, bins).T, 1e-10))
    log_spec = np.maximum(log_spec, log_spec.max() - 8.0)
    return (log_spec + 4.0) / 4.0


def bilinear(image, height, width):
    """(height, width, channels) by half-pixel centres, edges repeated, no antialiasing."""
    image = np.asarray(image, np.float64)
    for axis, size in ((0, height), (1, width)):
        source = image.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * source / size - 0.5, 0, source - 1)
        low = np.floor(at).astype(int)
        shape = [1, 1, 1]
        shape[axis] = size
        part = (at - low).reshape(shape)
        high = np.minimum(low + 1, source - 1)
        image = image.take(low, axis) * (1 - part) + image.take(high, axis) * part
    return image
