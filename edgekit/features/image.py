"""8-bit pictures to normalized tensors."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, cast

import msgspec
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.features.pixels import Raw, read
from edgekit.features.placement import MAX_SIDE_PX, place, scaled
from edgekit.kernels import CameraPlanes, ImageKernel, TensorSettings
from edgekit.manifest import Camera, ImageTensorSpec, Output, Resize

Triple: TypeAlias = tuple[float, float, float]
KERNELS_KEPT = 16
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in gray, of ITU-R BT.601; OpenCV and Pillow have the same."""


class ImageTensor:
    """uint8 picture to a tensor: `ImageTensor(height_px=224, width_px=224)(image)`.

    The picture is resized, then `(pixel / 255 - mean) / std`, channel by channel, in one pass over
    its rows; there is no full picture in between, and no rounding to 8 bits. Instances are
    immutable. The result has the same bits on every CPU and in every thread.

    Args:
        height_px: height of the result.
        width_px: width of the result; None keeps the aspect ratio, rounded half up.
        min_width_px: least width where `width_px` is None.
        max_width_px: greatest width where `width_px` is None.
        channels: order of the planes, or "gray": 0.299 red + 0.587 green + 0.114 blue.
        mean: one per plane, in units of 0 to 1; gray takes the first.
        std: one per plane, in units of 0 to 1; gray takes the first.
        resize: how the picture gets its size: filter, letterbox or crop.
        source: what pictures come as: the order of an array's channels, or a camera's planes.
        output: type and axes of the result, scale and zero point of whole numbers.

    Raises:
        UsageError: a size or a number is out of range.
    """

    __slots__ = ("_kernels", "_settings", "_spec")

    def __init__(  # noqa: PLR0913 - each names one field of a manifest
        self,
        *,
        height_px: int,
        width_px: int | None = None,
        min_width_px: int = 1,
        max_width_px: int = 16_384,
        channels: Literal["rgb", "bgr", "gray"] = "rgb",
        mean: Triple = (0.0, 0.0, 0.0),
        std: Triple = (1.0, 1.0, 1.0),
        resize: Resize = Resize(),  # noqa: B008 - frozen
        source: Literal["rgb", "bgr", "gray"] | Camera = "rgb",
        output: Output = Output(),  # noqa: B008 - frozen
    ) -> None:
        widths = (width_px, min_width_px, max_width_px)
        mean, std = cast(Triple, tuple(mean)), cast(Triple, tuple(std))
        ways = resize, source, output
        self._spec = ImageTensorSpec(height_px, *widths, channels, mean, std, *ways)
        _check(self._spec)
        self._settings = _settings_of(self._spec)
        self._kernels: dict[tuple[int, int], ImageKernel] = {}

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

    def __call__(self, image: Raw, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Resize, normalize and order.

        Args:
            image: uint8 of shape (height, width, 3), or (height, width) for gray, sides of 1 to
                32768, with any strides: a crop, a flip or a reversed view is read in place. For a
                camera one array of shape (height * 3 / 2, width), or a tuple of planes: (y, uv)
                with uv of shape (height / 2, width / 2, 2), or (y, u, v).
            out: where the result goes, contiguous, of its shape and dtype.

        Returns:
            `output.dtype` of shape (3, height_px, width), or (height_px, width, 3); 1 instead of 3
            for gray.

        Raises:
            InputError: another dtype or shape.
        """
        pixels = read(image, self._spec.source)
        luma = pixels.luma if isinstance(pixels, CameraPlanes) else pixels
        kernel = self._kernel_for(luma.shape[0], luma.shape[1])
        if out is not None:
            _check_out(out, kernel)
        return kernel(pixels, out)

    def _kernel_for(self, height: int, width: int) -> ImageKernel:
        """The kernel for pictures of one size; the last few are kept, most come from one camera."""
        kernel = self._kernels.get((height, width))
        if kernel is None:
            target = self._spec.height_px, self._width_px(height, width)
            kernel = ImageKernel(self._settings, place(self._spec.resize, (height, width), target))
            if len(self._kernels) >= KERNELS_KEPT:
                self._kernels.clear()
            self._kernels[height, width] = kernel
        return kernel

    def _width_px(self, source_height: int, source_width: int) -> int:
        spec = self._spec
        if spec.width_px is not None:
            return spec.width_px
        width = scaled(source_width, spec.height_px, source_height)
        return min(max(width, spec.min_width_px), spec.max_width_px)

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


def _settings_of(spec: ImageTensorSpec) -> TensorSettings:
    gray, mean, std = spec.channels == "gray", spec.mean, spec.std
    channels = (0, 1, 2) if (spec.source == "bgr") == (spec.channels == "bgr") else (2, 1, 0)
    if gray:
        luma = (1.0, 0.0, 0.0) if spec.source == "gray" else LUMA
        scale, offset = _each(lambda c: luma[c] / (255 * std[0])), (-mean[0] / std[0], 0.0, 0.0)
        fill = ((spec.resize.pad / 255 - mean[0]) / std[0], 0.0, 0.0)
    else:
        scale, offset = _each(lambda c: 1 / (255 * std[c])), _each(lambda c: -mean[c] / std[c])
        fill = _each(lambda c: (spec.resize.pad / 255 - mean[c]) / std[c])
    return TensorSettings(
        source=channels,
        scale=scale,
        offset=offset,
        fill=fill,
        planes=1 if gray else 3,
        mode=spec.resize.mode,
        layout=spec.output.layout,
        dtype=spec.output.dtype,
        quantum=spec.output.scale,
        zero_point=spec.output.zero_point,
    )


def _check_out(out: NDArray[Any], kernel: ImageKernel) -> None:
    if out.shape != kernel.shape or out.dtype != kernel.dtype or not out.flags.carray:
        problem = f"got {out.dtype} with shape {out.shape}, expected {kernel.dtype} {kernel.shape}"
        raise InputError("out", f"{problem}, contiguous and writable", "make it with np.empty")


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
    if spec.channels not in ("rgb", "bgr", "gray"):
        raise _refused(f"channels={spec.channels!r}", "use 'rgb', 'bgr' or 'gray'")
    if len(spec.mean) != 3 or len(spec.std) != 3:
        raise _refused(f"mean={spec.mean}, std={spec.std}", "give one number per plane")
    if not all(abs(m) <= 1e6 for m in spec.mean) or not all(1e-6 <= s <= 1e6 for s in spec.std):
        raise _refused(f"mean={spec.mean}, std={spec.std}", "use finite numbers, std above 0")
    _check_ways(spec.resize, spec.source, spec.width_px)
    _check_output(spec.output)


def _check_ways(resize: Resize, source: object, width_px: int | None) -> None:
    if resize.mode not in ("bilinear", "nearest", "antialias", "area"):
        raise _refused(f"{resize}", "use mode 'bilinear', 'nearest', 'antialias' or 'area'")
    if resize.fit not in ("stretch", "letterbox", "crop") or not 0 <= resize.pad <= 255:
        raise _refused(f"{resize}", "use fit 'stretch', 'letterbox' or 'crop', pad 0 to 255")
    if resize.fit != "stretch" and width_px is None:
        raise _refused(f"fit={resize.fit!r} without width_px", "give the width")
    if resize.short_px is not None and (resize.fit != "crop" or resize.short_px < 1):
        raise _refused(f"{resize}", "give short_px, 1 or more, with fit='crop' only")
    if not isinstance(source, Camera) and source not in ("rgb", "bgr", "gray"):
        raise _refused(f"source={source!r}", "use 'rgb', 'bgr', 'gray' or a Camera")


def _check_output(output: Output) -> None:
    low = -128 if output.dtype == "int8" else 0
    if output.dtype not in ("float32", "float16", "int8", "uint8"):
        raise _refused(f"{output}", "use dtype 'float32', 'float16', 'int8' or 'uint8'")
    if output.layout not in ("chw", "hwc"):
        raise _refused(f"{output}", "use layout 'chw' or 'hwc'")
    if not 1e-12 <= output.scale <= 1e12:
        raise _refused(f"{output}", "use a scale above 0")
    if output.dtype in ("int8", "uint8") and not low <= output.zero_point <= low + 255:
        raise _refused(f"{output}", f"use a zero_point of {low} to {low + 255}")


def _refused(problem: str, way_out: str) -> UsageError:
    return UsageError("image features", problem, way_out)
