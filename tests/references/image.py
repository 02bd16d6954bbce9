"""Tensors of images in float64 NumPy from a kernel's settings: a matrix of shares for each axis."""

import numpy as np


def shares(mode, source, full):
    """(full, source): what each pixel of the source has in each of the result. Bilinear as OpenCV,
    antialias as Pillow and torchvision, area as OpenCV where the picture shrinks."""
    scale, pixels = source / full, np.arange(source)
    if mode == "nearest":
        # Adding up is what Pillow and OpenCV do: it decides where a centre lies between pixels.
        centres = np.cumsum([scale / 2] + [scale] * (full - 1))
        return np.eye(source)[np.minimum(centres.astype(int), source - 1)]
    at = np.arange(full)[:, None]
    if mode == "area":
        ends = np.minimum(pixels + 1, (at + 1) * scale) - np.maximum(pixels, at * scale)
        return np.maximum(ends, 0) / scale
    centre = (at + 0.5) * scale
    if mode == "bilinear":
        centre = np.clip(centre, 0.5, source - 0.5)
    width = max(scale, 1) if mode == "antialias" else 1
    heights = np.maximum(1 - np.abs(pixels + 0.5 - centre) / width, 0)
    return heights / heights.sum(1, keepdims=True)


def levels_of(camera):
    """(height, width, 3), not rounded, as ITU-R BT.601 and BT.709 define it."""
    height, width = camera.luma.shape
    up = [
        np.repeat(np.repeat(plane, 2, 0), 2, 1)[:height, :width] for plane in (camera.u, camera.v)
    ]
    luma, u, v = camera.luma.astype(np.float64), up[0] - 128.0, up[1] - 128.0
    red, blue = (0.2126, 0.0722) if camera.matrix == "bt709" else (0.299, 0.114)
    green = 1 - red - blue
    if not camera.full_range:
        luma = np.maximum(luma - 16, 0) * 255 / 219
        u, v = u * 255 / 224, v * 255 / 224
    r, b = luma + 2 * (1 - red) * v, luma + 2 * (1 - blue) * u
    g = luma - (2 * red * (1 - red) * v + 2 * blue * (1 - blue) * u) / green
    return np.clip(np.stack([r, g, b], -1), 0, 255)


def rgb_of(camera):
    """(height, width, 3) in whole levels."""
    return np.floor(levels_of(camera) + 0.5)


def is_between_levels(camera):
    """Whether a level lies so near to the middle of two that either is right."""
    return bool((np.abs(levels_of(camera) % 1 - 0.5) < 1e-3).any())


def axes_of(settings, placement, pixels):
    """The shares of each row and of each column of the picture."""
    inner = placement.inner or placement.size
    full = placement.full or inner
    return tuple(
        shares(settings.mode, pixels.shape[axis], full[axis])[placement.skip[axis] :][: inner[axis]]
        for axis in range(2)
    )


def planes_of(settings, placement, pixels):
    """(planes, height, width) of numbers, before they become whole or half."""
    pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    inner = placement.inner or placement.size
    down, across = axes_of(settings, placement, pixels)
    planes = np.einsum("yv,xu,vuc->cyx", down, across, pixels.astype(np.float64), optimize=True)
    scale, offset = np.float32(settings.scale), np.float32(settings.offset)
    planes = planes[list(settings.source)] * scale[:, None, None] + offset[:, None, None]
    if settings.planes == 1:
        planes = planes.sum(0, keepdims=True)
    fill = np.float32(settings.fill[: settings.planes])[:, None, None]
    result = np.broadcast_to(fill.astype(np.float64), (settings.planes, *placement.size)).copy()
    top, left = placement.corner
    result[:, top : top + inner[0], left : left + inner[1]] = planes
    return result


def numbers_of(settings, tensor):
    """What a tensor's values stand for, as (planes, height, width)."""
    planes = tensor if settings.layout == "chw" else tensor.transpose(2, 0, 1)
    if settings.dtype.startswith("float"):
        return planes.astype(np.float64)
    return (planes.astype(np.float64) - settings.zero_point) * np.float32(settings.quantum)


def allowed(settings, axes, expected, either_level):
    """By how much a number may be off: sums of weights that are rounded to 1 / 16384, rows between
    two passes to 1 / 128, and what the dtype holds; a level where a camera's may be either."""
    neighbours = sum(int((axis > 0).sum(1).max()) - 1 for axis in axes)
    levels = 255 / 32768 * neighbours + 1 / 128 + either_level
    scale = np.abs(settings.scale).sum() if settings.planes == 1 else np.abs(settings.scale).max()
    off = scale * levels + 4e-6
    if settings.dtype == "float16":
        off = off + np.abs(expected) / 2048 + 2**-24
    if "int" in settings.dtype:
        off = off + settings.quantum / 2
    return off


def within(settings, expected):
    """The nearest number that a whole number can stand for."""
    if settings.dtype.startswith("float"):
        return expected
    ends = np.iinfo(settings.dtype)
    low, high = ((end - settings.zero_point) * settings.quantum for end in (ends.min, ends.max))
    return np.clip(expected, low, high)
