"""Speech-like audio from a seed: a glottal pulse train through moving formants, hiss and pauses."""

import numpy as np
from scipy.signal import lfilter

RATE_HZ = 16_000


def resonate(signal, hz, width_hz):
    """A two-pole resonator with unit gain at 0 Hz (Klatt 1980)."""
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    b, c = 2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), -(radius**2)
    return lfilter([1 - b - c], [1, -b, -c], signal)


def vowel(random, samples):
    pitch_hz = random.uniform(90, 240) * (1 + 0.1 * np.linspace(0, random.uniform(-1, 1), samples))
    cycle = np.cumsum(pitch_hz) / RATE_HZ % 1.0
    flow = np.where(cycle < 0.6, 3 * (cycle / 0.6) ** 2 - 2 * (cycle / 0.6) ** 3, 0.0)
    source = np.diff(flow, prepend=0.0) + 1e-4 * random.normal(size=samples)
    for hz, width_hz in zip((500, 1500, 2500, 3500), (60, 90, 120, 180), strict=True):
        source = resonate(source, hz * random.uniform(0.7, 1.4), width_hz)
    return source / np.abs(source).max()


def hiss(random, samples):
    noise = np.diff(random.normal(size=samples), prepend=0.0)
    return 0.2 * noise / np.abs(noise).max()


def speech(seed=0, seconds=6.0):
    """float32 in -1..1 at 16 kHz with a noise floor near -80 dB."""
    random = np.random.default_rng(seed)
    parts, left = [], int(seconds * RATE_HZ)
    while left > 0:
        samples = min(left, int(random.uniform(0.05, 0.25) * RATE_HZ))
        sound = (vowel, hiss, lambda r, n: np.zeros(n))[random.choice(3, p=(0.6, 0.25, 0.15))]
        parts.append(sound(random, samples) * np.hanning(samples) * random.uniform(0.05, 0.9))
        left -= samples
    audio = np.concatenate(parts)
    return (audio + 1e-4 * random.normal(size=audio.size)).astype(np.float32)
