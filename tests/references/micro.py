"""TFLite-micro's fixed-point front end in NumPy, step by step as its C sources do it
(tensorflow/lite/experimental/microfrontend, with kissfft for int16)."""

import math

import numpy as np

FLOAT = np.float32


def wrapped(values):
    """What int16 makes of them."""
    return np.asarray(values, np.int64).astype(np.int16).astype(np.int64)


def rounded(products):
    """A product of two Q15 numbers as one."""
    return wrapped((products + (1 << 14)) >> 15)


def times(z, w):
    return (
        rounded(z[0] * w[0] - z[1] * w[1]),
        rounded(z[0] * w[1] + z[1] * w[0]),
    )


def shrunk(z, divisor):
    return tuple(rounded(part * (32767 // divisor)) for part in z)


def plus(a, b):
    return wrapped(a[0] + b[0]), wrapped(a[1] + b[1])


def minus(a, b):
    return wrapped(a[0] - b[0]), wrapped(a[1] - b[1])


def turns(count, size):
    """e^(-2 pi i k / size) in Q15."""
    angle = -2 * np.pi * np.asarray(count) / size
    return tuple(
        np.floor(0.5 + 32767 * part).astype(int) for part in (np.cos(angle), np.sin(angle))
    )


def kiss_fft(re, im):
    size = re.size
    if size == 1:
        return re, im
    radix = 4 if size % 4 == 0 else 2
    k, legs = np.arange(size // radix), []
    for leg in range(radix):
        part = shrunk(kiss_fft(re[leg::radix], im[leg::radix]), radix)
        legs.append(times(part, turns(k * leg, size)) if leg else part)
    if radix == 2:
        found = [plus(*legs), minus(*legs)]
    else:
        odd, other = plus(legs[1], legs[3]), minus(legs[1], legs[3])
        low, high = minus(legs[0], legs[2]), plus(legs[0], legs[2])
        turned = other[1], -other[0]
        found = [plus(high, odd), plus(low, turned), minus(high, odd), minus(low, turned)]
    return tuple(np.concatenate([one[i] for one in found]) for i in range(2))


def energies_of(samples):
    """Of the bins from 1 on, wrapped to int32, from real samples."""
    half = samples.size // 2
    z = kiss_fft(samples[0::2], samples[1::2])
    k = np.arange(1, half // 2 + 1)
    near = shrunk((z[0][k], z[1][k]), 2)
    far = shrunk((z[0][half - k], -z[1][half - k]), 2)
    both, turned = plus(near, far), times(minus(near, far), turns(k + half / 2, 2 * half))
    re, im = np.zeros((2, half + 1), np.int64)
    re[k], im[k] = (both[0] + turned[0]) >> 1, (both[1] + turned[1]) >> 1
    re[half - k], im[half - k] = (both[0] - turned[0]) >> 1, (turned[1] - both[1]) >> 1
    return (re * re + im * im).astype(np.int32)


def spectrum_of(window, samples, fft_samples):
    """Energies, and by how many bits the windowed samples were made larger."""
    windowed = wrapped((samples.astype(np.int64) * window) >> 12)
    most = int(np.abs(windowed.astype(np.int16)).max())
    shift = 15 if most <= 0 else 15 - most.bit_length()
    padded = np.pad(wrapped(windowed << shift), (0, fft_samples - windowed.size))
    return energies_of(padded), shift


def window_of(settings):
    count = settings.window_samples
    angle = FLOAT(np.pi * 2 / count) * (np.arange(count, dtype=FLOAT) + FLOAT(0.5))
    value = FLOAT(0.5) - FLOAT(0.5) * np.cos(angle.astype(np.float64)).astype(FLOAT)
    return np.floor(value * FLOAT(4096) + FLOAT(0.5)).astype(np.int64)


SERIES = (0.66666668653, 0.40000000596, 0.28571429849, 0.22222198546, 0.18183572590, 0.15313838422,
          0.14798198640)  # fmt: skip


def log1p_of(x):
    """For x >= 0 by FDLIBM's s_log1pf.c, whose last bit decides weights; NumPy has another."""
    x = np.asarray(x, FLOAT)
    small, u = x < FLOAT(0.41421354), FLOAT(1) + x
    fraction, exponent = np.frexp(u)
    above = fraction >= FLOAT(np.sqrt(0.5))
    k = np.where(small, 0, exponent - ~above).astype(FLOAT)
    lost = np.where(exponent > 1, FLOAT(1) - (u - x), x - (u - FLOAT(1))) / u
    f = np.where(small, x, np.where(above, fraction, fraction * FLOAT(2)) - FLOAT(1))
    half, s = FLOAT(0.5) * f * f, f / (FLOAT(2) + f)
    z, r = s * s, FLOAT(0)
    for factor in reversed(SERIES):
        r = z * (FLOAT(factor) + r)
    plain = f - (half - s * (half + r))
    low = k * FLOAT(9.0580006145e-06) + np.where(small, FLOAT(0), lost)
    split = k * FLOAT(6.9313812256e-01) - ((half - (s * (half + r) + low)) - f)
    return np.where(k == 0, plain, split)


def mel_of(hz):
    return FLOAT(1127) * log1p_of(FLOAT(hz) / FLOAT(700))


def channels_of(settings, fft_samples):
    """For each channel and one more: first bin, and weights of rising and falling sides."""
    step = FLOAT(0.5 * settings.sample_rate_hz) / FLOAT(fft_samples // 2)
    low = mel_of(settings.low_hz)
    spacing = (mel_of(settings.high_hz) - low) / FLOAT(settings.channels + 1)
    centres = low + spacing * np.arange(1, settings.channels + 2, dtype=FLOAT)
    bins = mel_of(np.arange(fft_samples // 2 + 1, dtype=FLOAT) * step)
    first, found = int(FLOAT(1.5) + FLOAT(settings.low_hz) / step), []
    for before, centre in zip([low, *centres[:-1]], centres, strict=True):
        end = first + int((bins[first:] <= centre).sum())
        part = (centre - bins[first:end]) / (centre - before)
        whole = [
            np.floor(p * FLOAT(4096) + FLOAT(0.5)).astype(int) for p in (part, FLOAT(1) - part)
        ]
        found.append((slice(first, end), *whole))
        first = end
    return found


def root_of(value):
    """The nearest whole number; of what has 32 bits, one of 16."""
    root = math.isqrt(value)
    most = 2**32 - 1 if value >> 32 else 2**16 - 1
    return min(root + (value - root * root > root), most)


def gain_at(settings, bits, x):
    base = FLOAT(FLOAT(x) / FLOAT(2**bits) + FLOAT(settings.pcan_offset))
    power = FLOAT(float(base) ** -float(FLOAT(settings.pcan_strength)))
    gain = FLOAT(2**settings.gain_bits) * power
    return 32767 if gain > 32767 else int(gain + FLOAT(0.5))


def gain_of(settings, bits, x):
    """A parabola through the gains at both ends and in the middle of the x with as many bits."""
    if x < 2:
        return gain_at(settings, bits, x)
    low = 1 << (x.bit_length() - 1)
    ends = low, low + low // 2, min(2 * low, 2**32 - 1)
    y0, y1, y2 = (gain_at(settings, bits, end) for end in ends)
    slope, bend = (
        int(wrapped(value)) for value in (4 * (y1 - y0) - (y2 - y0), 2 * (y2 - y0) - 4 * (y1 - y0))
    )
    part = ((x - low) << 10) // low
    product = (((bend * part) >> 5) + (slope << 5)) * part + (1 << 14)
    product = (product + 2**31) % 2**32 - 2**31
    return int(wrapped((product >> 15) + y0))


BENDS = [round(65536 * (math.log2(1 + i / 128) - i / 128)) for i in range(129)]


def logarithm_of(x, shift):
    """Natural, in 1 / 2^shift, by a table of 128 pieces of log2."""
    whole = x.bit_length() - 1
    part = ((x - (1 << whole)) << 16) >> whole
    piece, rest = part >> 9, part & 511
    bend = BENDS[piece] + (((BENDS[min(piece + 1, 128)] - BENDS[piece]) * rest) >> 16)
    natural = (45426 * ((whole << 16) + part + bend) + (1 << 15)) >> 16
    return (((natural << shift) % 2**32 + (1 << 15)) % 2**32) >> 16


def quiet_of(settings, signal, channel, noise):
    """The signal without stationary noise, and the new estimate of that."""
    share = settings.odd_smoothing if channel % 2 else settings.even_smoothing
    share = int(FLOAT(share) * FLOAT(2**14))
    scaled = (signal << settings.smoothing_bits) % 2**32
    noise = ((scaled * share + noise * (2**14 - share)) >> 14) % 2**32
    least = (signal * int(FLOAT(settings.min_signal_remaining) * FLOAT(2**14))) >> 14
    return max((scaled - min(noise, scaled)) >> settings.smoothing_bits, least), noise


def level_of(settings, correction_bits, signal, noise):
    if settings.pcan:
        gain = gain_of(settings, settings.smoothing_bits - correction_bits, noise) % 2**32
        shift = settings.gain_bits - correction_bits - 12
        signal = ((signal * gain) % 2**64 >> shift) % 2**32
        signal = (signal * signal % 2**32) >> 20 if signal < 2 << 12 else (signal >> 6) - 64
    if settings.log:
        shifted = signal >> -correction_bits if correction_bits < 0 else signal << correction_bits
        shifted %= 2**32
        signal = logarithm_of(shifted, settings.log_shift) if shifted > 1 else 0
    return min(signal, 65535)


def micro(settings, samples):
    """(frames, channels) as float32."""
    fft_samples = max(256, 1 << (settings.window_samples - 1).bit_length())
    correction_bits = fft_samples.bit_length() - 1 - 6
    window, channels = window_of(settings), channels_of(settings, fft_samples)
    noise, rows = [0] * settings.channels, []
    for start in range(0, samples.size - settings.window_samples + 1, settings.hop_samples):
        frame = samples[start : start + settings.window_samples]
        energies, shift = spectrum_of(window, frame, fft_samples)
        row, falling = [], 0
        for channel, (bins, rising_side, falling_side) in enumerate(channels):
            bin_energies = [int(energy) for energy in energies[bins]]
            total = falling + sum(map(int.__mul__, map(int, rising_side), bin_energies))
            falling = sum(map(int.__mul__, map(int, falling_side), bin_energies))
            if channel:
                signal = root_of(total % 2**64) >> shift
                quiet, noise[channel - 1] = quiet_of(
                    settings, signal, channel - 1, noise[channel - 1]
                )
                row.append(level_of(settings, correction_bits, quiet, noise[channel - 1]))
        rows.append(row)
    levels = np.array(rows, FLOAT).reshape(-1, settings.channels)
    return levels * FLOAT(settings.output_scale)
