"""Log-mel levels in float64 NumPy from a kernel's settings, by Kaldi's and librosa's definitions,
with what the rounding of float32 may make of them."""

import numpy as np

EPS = 2.0**-24
ROUNDINGS = 6
"""By how many roundings of the frame's norm, and of half its loudest bin, a bin may be off:
half of that was seen."""
EDGE = 2.0**-42
"""By how much of the largest one a weight may be off: ends of filters are roundings of float64,
so that a bin which lies on one has a weight of 0 or of 4e-15."""


def window_of(settings):
    name, count = settings.window, settings.window_samples
    turns = np.arange(count) / (count if name.endswith("periodic") else count - 1)
    a = 0.54 if name.startswith("hamming") else 0.5
    raised = a - (1 - a) * np.cos(2 * np.pi * turns)
    shapes = {"rectangular": np.ones(count), "povey": np.maximum(raised, 0) ** 0.85}
    before = (settings.frame_samples - count) // 2
    after = settings.frame_samples - count - before
    return np.pad(shapes.get(name, raised), (before, after))


def frames_of(settings, samples):
    """(frames, frame_samples), with what lies beyond the ends."""
    length, hop, count = settings.frame_samples, settings.hop_samples, samples.size
    if settings.framing == "whole":
        before, frames = 0, max(0, (count - length) // hop + 1)
    elif settings.framing == "hops":
        before, frames = length // 2 - hop // 2, (count + hop // 2) // hop
    else:
        before, frames = length // 2, count // hop + (settings.framing == "centred")
    mirrored = settings.padding == "reflect" and settings.framing != "whole"
    if frames == 0 or (mirrored and count <= max(before, 1)):
        return np.zeros((0, length))
    mode = {"zero": "constant"}.get(settings.padding, settings.padding)
    after = max(0, (frames - 1) * hop + length - before - count)
    padded = np.pad(samples, (before, after), mode) if before or after else samples
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][:frames]


def mel_of(scale, hz):
    hz = np.asarray(hz, np.float64)
    if scale != "slaney":
        return 1127 * np.log1p(hz / 700)
    above = 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4)
    return np.where(hz < 1000, hz * 3 / 200, above)


def hz_of(scale, mel):
    if scale != "slaney":
        return 700 * np.expm1(mel / 1127)
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def filters_of(settings):
    """(mel_bins, fft_samples / 2 + 1); Kaldi's are triangles in mel and leave out the last bin."""
    scale, bins = settings.mel_scale, settings.fft_samples // 2 + 1
    at = np.arange(bins) * settings.sample_rate_hz / settings.fft_samples
    ends = mel_of(scale, [settings.low_hz, settings.high_hz])
    mel_edges = np.linspace(*ends, settings.mel_bins + 2)
    hz_edges = hz_of(scale, mel_edges)
    edges = mel_edges if scale == "kaldi" else hz_edges
    at = mel_of(scale, at) if scale == "kaldi" else at
    low, centre, high = (edges[i : i + settings.mel_bins, None] for i in range(3))
    weights = np.maximum(0, np.minimum((at - low) / (centre - low), (high - at) / (high - centre)))
    if scale == "kaldi":
        weights[:, -1] = 0
    if settings.mel_area:
        weights *= 2 / (hz_edges[2:] - hz_edges[:-2])[:, None]
    return weights


def level_of(settings, energies):
    if settings.logarithm == "none":
        return energies
    natural = np.log(np.maximum(energies, settings.floor))
    decibel = (20 if settings.magnitude else 10) / np.log(10)
    units = {"natural": 1, "log10": 1 / np.log(10), "db": decibel}
    return natural * units[settings.logarithm]


def cosines_of(settings):
    """(mel_bins, cepstra): the orthonormal DCT-II, liftered."""
    bins, kinds = settings.mel_bins, np.arange(settings.cepstra)
    cosines = np.cos(np.pi / bins * np.outer(np.arange(bins) + 0.5, kinds)) * np.sqrt(2 / bins)
    cosines[:, 0] = np.sqrt(1 / bins)
    if settings.lifter:
        turn = np.pi * (kinds + settings.lifter_from) / settings.lifter
        cosines *= 1 + settings.lifter / 2 * np.sin(turn)
    return cosines


def log_mel(settings, samples):
    """(frames, columns) without dither, and by how much each may be off."""
    frames = frames_of(settings, np.asarray(samples, np.float64) * np.float32(settings.input_scale))
    norm, window = np.sqrt((frames**2).sum(1, keepdims=True)), window_of(settings)
    loudest = np.abs(np.fft.rfft(frames * window, settings.fft_samples)).max(1, keepdims=True)
    if settings.remove_dc:
        frames = frames - frames.mean(1, keepdims=True)
    energy = (frames**2).sum(1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    frames = (frames - settings.preemphasis * before) * window
    bins = np.abs(np.fft.rfft(frames, settings.fft_samples))
    filters, noise = filters_of(settings), ROUNDINGS * EPS * (norm + loudest / 2)
    weighed = bins if settings.magnitude else bins**2
    errors = noise if settings.magnitude else 2 * bins * noise + noise**2
    off = (errors + np.zeros_like(bins)) @ filters.T
    off = off + EDGE * filters.max() * weighed.sum(1, keepdims=True)
    found = _interval(settings, weighed @ filters.T, off)
    if settings.cepstra:
        cosines = cosines_of(settings)
        rounding = 32 * EPS * np.abs(found[0]) @ np.abs(cosines)
        found = found[0] @ cosines, found[1] @ np.abs(cosines) + rounding
    if not settings.energy:
        return found
    floor = max(settings.floor, 0)
    spread = 32 * EPS * energy + (ROUNDINGS * EPS * norm) ** 2 + 2 * EPS * norm * np.sqrt(energy)
    ends = [np.log(np.maximum(energy + sign * spread, floor)) for sign in (-1, 0, 1)]
    loud = ends[1], np.maximum(ends[2] - ends[1], ends[1] - ends[0]) + 8 * EPS * (1 + abs(ends[1]))
    columns = slice(1, None) if settings.cepstra else slice(None)
    return tuple(np.hstack([one, all_[:, columns]]) for one, all_ in zip(loud, found, strict=True))


def _interval(settings, energies, errors):
    errors = errors + 24 * EPS * energies
    ends = [level_of(settings, np.maximum(energies + sign * errors, 0)) for sign in (-1, 0, 1)]
    rounding = 8 * EPS * (1 + np.abs(ends[1])) * (settings.logarithm != "none")
    return ends[1], np.maximum(ends[2] - ends[1], ends[1] - ends[0]) + rounding
