"""Kernels of image features."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import Scratch, aligned, check, isa_number

Triple: TypeAlias = tuple[float, float, float]
PLANS_KEPT = 4
BYTES = ffi.typeof("uint8_t[]")

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


Pixels: TypeAlias = NDArray[np.uint8] | CameraPlanes


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
        return ffi.from_buffer(BYTES, pixels)
    address: int = pixels.__array_interface__["data"][0]
    return ffi.cast("const uint8_t *", address)


def _described(image: Pixels) -> Any:
    """`ek_image`, with an address that is not read."""
    anywhere = ffi.cast("const uint8_t *", lib.EK_ALIGNMENT)
    luma = image.luma if isinstance(image, CameraPlanes) else image
    (height, width), (row, column, *channel) = luma.shape[:2], luma.strides
    fields = [anywhere, row, column, *(channel or [0]), width, height]
    if isinstance(image, CameraPlanes):
        matrix = _MATRICES[image.matrix], image.full_range
        fields += [anywhere, anywhere, *image.u.strides, *matrix]
    return ffi.new("ek_image *", fields)


def _form(image: Pixels) -> tuple[Any, ...]:
    """What a plan depends on."""
    if isinstance(image, CameraPlanes):
        luma, chroma = image.luma, image.u
        return luma.shape, luma.strides, chroma.strides, image.matrix, image.full_range
    return image.shape, image.strides


class _Plan:
    """The tables for images of one form, and scratch for them."""

    __slots__ = ("_memory", "pointer", "scratch")

    def __init__(self, config: Any, image: Pixels) -> None:
        described = _described(image)
        self._memory = aligned(lib.ek_image_plan_bytes(config, described))
        memory = ffi.from_buffer(self._memory)
        status = lib.ek_image_plan_build(config, described, memory, self._memory.size)
        check(status, "image plan")
        self._memory.flags.writeable = False
        self.pointer = ffi.cast("const ek_image_plan *", memory)
        self.scratch = Scratch(lib.ek_image_plan_scratch_bytes(self.pointer))


class ImageKernel:
    """Resizing and normalization of 8-bit pictures into tensors.

    The tables for a size and strides are built when they first come; the last few are kept.

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
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        if lib.ek_image_plan_bytes(self._config, _described(np.zeros((1, 1), np.uint8))) == 0:
            problem = f"{settings} with {placement} is out of range"
            raise UsageError("image tensor", problem, "use sides of 1 to 32768, finite numbers")

    def __call__(
        self, image: Pixels, out: NDArray[Any] | None = None, *, isa: str | None = None
    ) -> NDArray[Any]:
        """The tensor, the same bits with every instruction set.

        Args:
            image: of shape (h, w, 3), or (h, w) for gray, sides of 1 to 32768, with any strides;
                or a camera's planes; u and v have the same strides.
            out: contiguous, of `self.shape` and `self.dtype`; None for a new array.
            isa: one of `available_isas()`; None for the best.
        """
        out = np.empty(self.shape, self.dtype) if out is None else out
        form = _form(image)
        plan = self._plans.get(form) or self._plan_for(form, image)
        if isinstance(image, CameraPlanes):
            planes = _pointer(image.luma), _pointer(image.u), _pointer(image.v)
        else:
            planes = _pointer(image), ffi.NULL, ffi.NULL
        scratch = plan.scratch.take()
        status = lib.ek_image_run(
            plan.pointer, isa_number(isa), *planes, ffi.from_buffer(out), scratch
        )
        plan.scratch.give_back(scratch)
        check(status, "image tensor")
        return out

    def _plan_for(self, form: tuple[Any, ...], image: Pixels) -> _Plan:
        if len(self._plans) >= PLANS_KEPT:
            self._plans.clear()
        return self._plans.setdefault(form, _Plan(self._config, image))
