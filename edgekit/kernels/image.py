"""Kernels of image features."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import aligned, check, isa_number

Triple: TypeAlias = tuple[float, float, float]

_MODES = {
    "bilinear": lib.EK_BILINEAR,
    "nearest": lib.EK_NEAREST,
    "antialias": lib.EK_ANTIALIAS,
    "area": lib.EK_AREA,
}
_LAYOUTS = {"chw": lib.EK_CHW, "hwc": lib.EK_HWC}
_TYPES = {
    "float32": lib.EK_FLOAT32,
    "float16": lib.EK_FLOAT16,
    "uint8": lib.EK_UINT8,
    "int8": lib.EK_INT8,
}
_MATRICES = {"bt601": lib.EK_BT601, "bt709": lib.EK_BT709}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSettings:
    """What a tensor holds: `value = pixel[source] * scale + offset` for each of three planes.

    Attributes:
        source: which source channel fills each plane.
        scale: one per plane.
        offset: one per plane.
        fill: values around the picture, one per plane.
        planes: 3, or 1 for the sum of the three.
        mode: how the picture is resized.
        layout: the order of the axes.
        dtype: of the tensor.
        quantum: what one step of a whole number stands for.
        zero_point: the whole number that stands for 0.
    """

    source: tuple[int, int, int] = (0, 1, 2)
    scale: Triple
    offset: Triple = (0.0, 0.0, 0.0)
    fill: Triple = (0.0, 0.0, 0.0)
    planes: int = 3
    mode: Literal["bilinear", "nearest", "antialias", "area"] = "bilinear"
    layout: Literal["chw", "hwc"] = "chw"
    dtype: Literal["float32", "float16", "int8", "uint8"] = "float32"
    quantum: float = 1.0
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture comes to lie, in pixels.

    The whole picture is resized to `full`; from `skip` on, `inner` of that is put at `corner` of a
    result of `size`. All are (height, width) or (y, x); None for `full` or `inner` means the same
    as `inner` or `size`.
    """

    size: tuple[int, int]
    inner: tuple[int, int] | None = None
    corner: tuple[int, int] = (0, 0)
    full: tuple[int, int] | None = None
    skip: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class CameraPlanes:
    """Luma (h, w) and chroma (half of both, rounded up) as a camera gives them, uint8."""

    luma: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]
    matrix: Literal["bt601", "bt709"]
    full_range: bool


def _config(settings: TensorSettings, placement: Placement) -> Any:
    inner = placement.inner or placement.size
    config = ffi.new("ek_tensor_config *")
    for name in ("source", "scale", "offset", "fill", "planes", "quantum", "zero_point"):
        setattr(config, name, getattr(settings, name))
    config.mode, config.layout = _MODES[settings.mode], _LAYOUTS[settings.layout]
    config.type = _TYPES[settings.dtype]
    config.height, config.width = placement.size
    config.inner_height, config.inner_width = inner
    config.top, config.left = placement.corner
    config.full_height, config.full_width = placement.full or inner
    config.skip_y, config.skip_x = placement.skip
    return config


def _pointer(pixels: NDArray[np.uint8]) -> Any:
    if pixels.flags.c_contiguous:  # the faster way
        return ffi.cast("const uint8_t *", ffi.from_buffer(pixels))
    address: int = pixels.__array_interface__["data"][0]
    return ffi.cast("const uint8_t *", address)


def _described(image: NDArray[np.uint8] | CameraPlanes) -> Any:
    """`ek_image`; a tuple is written several times faster than field by field."""
    if isinstance(image, CameraPlanes):
        (height, width), strides, chroma = image.luma.shape, image.luma.strides, image.u.strides
        planes = _pointer(image.u), _pointer(image.v), *chroma
        matrix = _MATRICES[image.matrix], image.full_range
        return ffi.new(
            "ek_image *", (_pointer(image.luma), *strides, 0, width, height, *planes, *matrix)
        )
    shape, strides = image.shape, image.strides
    channel = strides[2] if len(strides) == 3 else 0
    return ffi.new("ek_image *", (_pointer(image), *strides[:2], channel, shape[1], shape[0]))


class ImageKernel:
    """Resizing and normalization of 8-bit pictures into tensors.

    Args:
        settings: what the tensor holds.
        placement: where the picture comes to lie.

    Raises:
        UsageError: a size is not in 1 to 32768, or a number is not finite.
    """

    def __init__(self, settings: TensorSettings, placement: Placement) -> None:
        self._config = _config(settings, placement)
        shape, planes = placement.size, settings.planes
        self.shape = (planes, *shape) if settings.layout == "chw" else (*shape, planes)
        self.dtype = np.dtype(settings.dtype)
        if lib.ek_image_scratch_bytes(self._config, _described(np.zeros((1, 1), np.uint8))) == 0:
            problem = f"{settings} with {placement} is out of range"
            raise UsageError("image tensor", problem, "use sides of 1 to 32768, finite numbers")

    def __call__(
        self,
        image: NDArray[np.uint8] | CameraPlanes,
        out: NDArray[Any] | None = None,
        *,
        isa: str | None = None,
    ) -> NDArray[Any]:
        """The tensor, the same bits with every instruction set.

        Args:
            image: of shape (h, w, 3), or (h, w) for gray, sides of 1 to 32768, with any strides;
                or a camera's planes; u and v have the same strides.
            out: contiguous, of `self.shape` and `self.dtype`; None for a new array.
            isa: one of `available_isas()`; None for the best.
        """
        out = np.empty(self.shape, self.dtype) if out is None else out
        source = _described(image)
        scratch = aligned(lib.ek_image_scratch_bytes(self._config, source))
        status = lib.ek_image_tensor(
            self._config, isa_number(isa), source, ffi.from_buffer(out), ffi.from_buffer(scratch)
        )
        check(status, "image tensor")
        return out
