"""Where a picture comes to lie in a tensor."""

from edgekit.errors import InputError
from edgekit.kernels import Placement
from edgekit.manifest import Resize

MAX_SIDE_PX = 32_768
Size = tuple[int, int]
"""(height, width)"""


def place(resize: Resize, source: Size, target: Size) -> Placement:
    """The placement of a picture of one size in a tensor of another.

    Raises:
        InputError: the picture is so long that its resized side leaves 1 to 32768.
    """
    if resize.fit == "letterbox":
        return _letterbox(source, target)
    if resize.fit == "crop":
        return _crop(source, target, resize.short_px)
    return Placement(target)


def scaled(length: int, numerator: int, denominator: int) -> int:
    """`length * numerator / denominator`, rounded half up, at least 1."""
    return max((2 * length * numerator + denominator) // (2 * denominator), 1)


def _letterbox(source: Size, target: Size) -> Placement:
    height, width = target
    if source[1] * height <= source[0] * width:  # as high as the result
        inner = height, min(scaled(source[1], height, source[0]), width)
    else:
        inner = min(scaled(source[0], width, source[1]), height), width
    return Placement(target, inner, ((height - inner[0]) // 2, (width - inner[1]) // 2))


def _crop(source: Size, target: Size, short_px: int | None) -> Placement:
    """As torchvision: the long side is cut to whole pixels, a centre between two goes to even."""
    if short_px is not None:
        short = min(source)
        full = source[0] * short_px // short, source[1] * short_px // short
    elif source[1] * target[0] >= source[0] * target[1]:
        full = target[0], max(scaled(source[1], target[0], source[0]), target[1])
    else:
        full = max(scaled(source[0], target[1], source[1]), target[0]), target[1]
    if max(full) > MAX_SIDE_PX or full[0] < target[0] or full[1] < target[1]:
        problem = f"{source[1]} x {source[0]} pixels become {full[1]} x {full[0]} before the crop"
        limits = f"from the result's {target[1]} x {target[0]} to {MAX_SIDE_PX} on each side"
        raise InputError("image", f"{problem}, expected {limits}", "use fit='letterbox'")
    skip = round((full[0] - target[0]) / 2), round((full[1] - target[1]) / 2)
    return Placement(target, target, (0, 0), full, skip)
