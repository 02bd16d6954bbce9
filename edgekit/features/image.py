"""8-bit images to normalized float tensors."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.kernels import ImageKernel
from edgekit.manifest import ImageTensorSpec

MAX_SIDE_PX = 32_768
Triple: TypeAlias = tuple[float, float, float]


class ImageTensor:
    """uint8 RGB image to float32 planes: `ImageTensor(height_px=224, width_px=224)(image)`.

    Bilinear with the centres of pixels aligned and no antialiasing, as OpenCV's `INTER_LINEAR` on
    float images; then `(pixel / 255 - mean) / std`, channel by channel. Instances are immutable.
    The result has the same bits on every CPU and in every thread.

    Args:
        height_px: height of the result.
        width_px: width of the result; None keeps the aspect ratio, rounded half up.
        min_width_px: least width where `width_px` is None.
        max_width_px: greatest width where `width_px` is None.
        channels: order of the planes; images come as RGB.
        mean: one per plane, in units of 0 to 1.
        std: one per plane, in units of 0 to 1.

    Raises:
        UsageError: a size or a number is out of range.
    """

    __slots__ = ("_offset", "_scale", "_source", "_spec")

    def __init__(
        self,
        *,
        height_px: int,
        width_px: int | None = None,
        min_width_px: int = 1,
        max_width_px: int = 16_384,
        channels: Literal["rgb", "bgr"] = "rgb",
        mean: Triple = (0.0, 0.0, 0.0),
        std: Triple = (1.0, 1.0, 1.0),
    ) -> None:
        widths = (width_px, min_width_px, max_width_px)
        mean, std = cast(Triple, tuple(mean)), cast(Triple, tuple(std))
        self._spec = ImageTensorSpec(height_px, *widths, channels, mean, std)
        _check(self._spec)
        self._scale = _each(lambda c: 1 / (255 * std[c]))
        self._offset = _each(lambda c: -mean[c] / std[c])
        self._source = (0, 1, 2) if channels == "rgb" else (2, 1, 0)

    @classmethod
    def from_spec(cls, spec: ImageTensorSpec) -> "ImageTensor":
        """The features that a manifest describes.

        Raises:
            UsageError: a size or a number is out of range.
        """
        return cls(**msgspec.structs.asdict(spec))

    @property
    def spec(self) -> ImageTensorSpec:
        """The transform, for a manifest."""
        return self._spec

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Resize, normalize and split into planes.

        Args:
            image: uint8 RGB of shape (height, width, 3), sides of 1 to 32768, with any strides: a
                crop, a flip or a BGR view is read in place.

        Returns:
            float32 of shape (3, height_px, width).

        Raises:
            InputError: another dtype or shape.
        """
        _check_image(image)
        kernel = ImageKernel(
            self._spec.height_px,
            self._width_px(*image.shape[:2]),
            self._source,
            self._scale,
            self._offset,
        )
        return kernel(image)

    def _width_px(self, source_height: int, source_width: int) -> int:
        spec = self._spec
        if spec.width_px is not None:
            return spec.width_px
        scaled = (2 * source_width * spec.height_px + source_height) // (2 * source_height)
        return min(max(scaled, spec.min_width_px), spec.max_width_px)

    def __repr__(self) -> str:
        return f"ImageTensor({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImageTensor) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[Any, tuple[ImageTensorSpec]]:
        return type(self).from_spec, (self._spec,)


def _each(value: Callable[[int], float]) -> Triple:
    return value(0), value(1), value(2)


def _check_image(image: NDArray[Any]) -> None:
    expected = "expected a uint8 NumPy array with shape (height, width, 3)"
    if not isinstance(image, np.ndarray):
        problem = f"got {type(image).__name__}, {expected}"
        raise InputError("image", problem, "convert it with numpy.asarray")
    found = f"got {image.dtype} with shape {image.shape}, {expected}"
    if image.dtype != np.uint8:
        raise InputError("image", found, "give 8-bit RGB, values 0 to 255")
    if image.ndim != 3 or image.shape[2] != 3:
        way_out = (
            "drop an alpha channel with image[..., :3], repeat gray with np.stack([g] * 3, -1)"
        )
        raise InputError("image", found, way_out)
    if not all(1 <= side <= MAX_SIDE_PX for side in image.shape[:2]):
        raise InputError("image", found, f"sides of 1 to {MAX_SIDE_PX} pixels can be read")


def _check(spec: ImageTensorSpec) -> None:
    sizes = {
        "height_px": spec.height_px,
        "width_px": 1 if spec.width_px is None else spec.width_px,
        "min_width_px": spec.min_width_px,
        "max_width_px": spec.max_width_px,
    }
    for name, size in sizes.items():
        if not 1 <= size <= MAX_SIDE_PX:
            raise _refused(f"{name}={size}", f"use 1 to {MAX_SIDE_PX}")
    if spec.min_width_px > spec.max_width_px:
        problem = f"min_width_px={spec.min_width_px} above max_width_px={spec.max_width_px}"
        raise _refused(problem, "swap them")
    if spec.channels not in ("rgb", "bgr"):
        raise _refused(f"channels={spec.channels!r}", "use 'rgb' or 'bgr'")
    if len(spec.mean) != 3 or len(spec.std) != 3:
        raise _refused(f"mean={spec.mean}, std={spec.std}", "give one number per plane")
    if not all(abs(m) <= 1e6 for m in spec.mean) or not all(1e-6 <= s <= 1e6 for s in spec.std):
        raise _refused(f"mean={spec.mean}, std={spec.std}", "use finite numbers, std above 0")


def _refused(problem: str, way_out: str) -> UsageError:
    return UsageError("image features", problem, way_out)
