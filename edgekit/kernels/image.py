"""Kernels of image features."""

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import aligned, check, isa_number


class ImageKernel:
    """Bilinear resize and normalization of 8-bit images into float planes.

    Args:
        height, width: of the result, in pixels.
        source: which source channel fills each of the three planes.
        scale, offset: `plane = pixel * scale + offset`, one per plane.

    Raises:
        UsageError: a size is not in 1 to 32768, or a number is not finite.
    """

    def __init__(
        self,
        height: int,
        width: int,
        source: tuple[int, int, int],
        scale: tuple[float, float, float],
        offset: tuple[float, float, float],
    ) -> None:
        self._config = ffi.new("ek_tensor_config *", (width, height, source, scale, offset))
        self._scratch_bytes = lib.ek_image_scratch_bytes(self._config)
        self.shape = (3, height, width)
        if self._scratch_bytes == 0:
            problem = f"{height} x {width} with scale {scale} and offset {offset} is out of range"
            raise UsageError("image tensor", problem, "use sides of 1 to 32768, finite numbers")

    def __call__(self, image: NDArray[np.uint8], *, isa: str | None = None) -> NDArray[np.float32]:
        """Planes of shape (3, height, width), the same bits with every instruction set.

        Args:
            image: of shape (h, w, 3), sides of 1 to 32768, with any strides.
            isa: one of `available_isas()`; None for the best.
        """
        out = np.empty(self.shape, np.float32)
        scratch = aligned(self._scratch_bytes)
        pixels = ffi.cast("const uint8_t *", image.ctypes.data)
        source = ffi.new("ek_image *", (pixels, *image.strides, image.shape[1], image.shape[0]))
        status = lib.ek_image_tensor(
            self._config,
            isa_number(isa),
            source,
            ffi.from_buffer("float[]", out),
            ffi.from_buffer(scratch),
        )
        check(status, "image tensor")
        return out
