"""What a picture may come as: pixels in an array, or a camera's planes."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError
from edgekit.features.placement import MAX_SIDE_PX
from edgekit.kernels import CameraPlanes
from edgekit.manifest import Camera

Raw = NDArray[np.uint8] | tuple[NDArray[np.uint8], ...]


def read(image: Any, source: Literal["rgb", "bgr", "gray"] | Camera) -> Any:
    """Pixels or planes as the kernel takes them, in place.

    Raises:
        InputError: another dtype or shape.
    """
    if isinstance(source, Camera):
        return _planes(image, source)
    if not _is_sound(image, () if source == "gray" else (3,)):
        _refuse(image, source)
    return image


def _is_sound(image: Any, channels: tuple[int, ...]) -> bool:
    if not isinstance(image, np.ndarray) or image.dtype.char != "B":
        return False
    shape = image.shape
    if len(shape) != 2 + len(channels) or shape[2:] != channels:
        return False
    return bool(1 <= shape[0] <= MAX_SIDE_PX and 1 <= shape[1] <= MAX_SIDE_PX)


def _refuse(image: Any, source: str) -> None:
    shape = "(height, width)" if source == "gray" else "(height, width, 3)"
    expected = f"expected a uint8 NumPy array with shape {shape}"
    found = _found(image, expected)
    if source == "gray" and image.ndim != 2:
        raise InputError("image", found, "give one level per pixel, as image[..., 0]")
    if source != "gray" and (image.ndim != 3 or image.shape[2] != 3):
        way_out = "drop an alpha channel with image[..., :3]; for gray set source='gray'"
        raise InputError("image", found, way_out)
    _check_sides(image, found)


def _found(image: Any, expected: str) -> str:
    if not isinstance(image, np.ndarray):
        problem = f"got {type(image).__name__}, {expected}"
        raise InputError("image", problem, "convert it with numpy.asarray")
    found = f"got {image.dtype} with shape {image.shape}, {expected}"
    if image.dtype != np.uint8:
        raise InputError("image", found, "give 8-bit pixels, values 0 to 255")
    return found


def _check_sides(image: NDArray[np.uint8], found: str) -> None:
    if not all(1 <= side <= MAX_SIDE_PX for side in image.shape[:2]):
        raise InputError("image", found, f"sides of 1 to {MAX_SIDE_PX} pixels can be read")


def _planes(image: Any, camera: Camera) -> CameraPlanes:
    together = camera.planes != "i420"
    parts = image if isinstance(image, tuple) else _split(image, together)
    names = ("y", "uv") if together else ("y", "u", "v")
    if len(parts) != len(names):
        problem = f"got {len(parts)} planes for {camera.planes}, expected {', '.join(names)}"
        raise InputError("image", problem, "give them as a tuple")
    luma, chroma = parts[0], parts[1:]
    found = _found(luma, "expected uint8 luma with shape (height, width)")
    if luma.ndim != 2:
        raise InputError("image", found, "give planes, not pixels")
    _check_sides(luma, found)
    shape = (luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2
    for plane in chroma:
        _check_chroma(plane, (*shape, 2) if together else shape)
    u, v = (chroma[0][..., 0], chroma[0][..., 1]) if together else chroma
    if u.strides != v.strides:
        raise InputError("image", f"u has strides {u.strides}, v {v.strides}", "copy one of them")
    u, v = (v, u) if camera.planes == "nv21" else (u, v)
    return CameraPlanes(luma, u, v, camera.matrix, camera.full_range)


def _check_chroma(plane: Any, shape: tuple[int, ...]) -> None:
    found = _found(plane, f"expected uint8 chroma with shape {shape}")
    if plane.shape != shape:
        raise InputError("image", found, "chroma has half the height and width of luma, rounded up")


def _split(image: Any, together: bool) -> tuple[NDArray[np.uint8], ...]:
    """One array of 3/2 height rows, as OpenCV and Android have it: luma, then chroma."""
    expected = "expected uint8 planes as a tuple, or one array with shape (height * 3 / 2, width)"
    found = _found(image, expected)
    if image.ndim != 2 or image.shape[0] % 3 or image.shape[1] % 2 or image.size == 0:
        raise InputError("image", found, "height and width must be even; else give the planes")
    height, width = image.shape[0] * 2 // 3, image.shape[1]
    if not together and not image.flags.c_contiguous:
        raise InputError("image", f"{found}, contiguous", "give the planes as a tuple")
    if together:
        return image[:height], image[height:].reshape(height // 2, width // 2, 2)
    u, v = image[height:].reshape(2, height // 2, width // 2)
    return image[:height], u, v
