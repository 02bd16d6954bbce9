"""Raw audio as the kernels take it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError

DTYPES = (np.dtype(np.float32), np.dtype(np.int16))


def checked(samples: NDArray[Any], *, batch: bool = False) -> NDArray[Any]:
    """Contiguous samples of shape (n,), or (batch, n) where that is allowed.

    Raises:
        InputError: another type, dtype or shape.
    """
    shapes = "shape (n,) or (batch, n)" if batch else "shape (n,)"
    expected = f"expected a NumPy array of float32 or int16 with {shapes}"
    if not isinstance(samples, np.ndarray):
        raise InputError("samples", f"got {type(samples).__name__}, {expected}", "convert it")
    found = f"got {samples.dtype} with shape {samples.shape}, {expected}"
    if samples.ndim != 1 and not (batch and samples.ndim == 2):
        raise InputError("samples", found, "give one channel, as samples[:, 0] or the mean of both")
    if samples.dtype not in DTYPES or not samples.dtype.isnative:
        raise InputError(
            "samples", found, "convert with samples.astype('float32') and say the scale"
        )
    return np.ascontiguousarray(samples)


def checked_out(
    out: NDArray[np.float32], shape: tuple[int, ...], dtype: type[np.generic] = np.float32
) -> NDArray[np.float32]:
    """An array of the caller's that a kernel can fill.

    Raises:
        InputError: another type, dtype or shape, not contiguous, or read-only.
    """
    if (
        not isinstance(out, np.ndarray)
        or out.dtype != dtype
        or out.shape != shape
        or not out.flags.c_contiguous
        or not out.flags.writeable
    ):
        found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        wanted = f"contiguous {np.dtype(dtype)} {shape} that can be written to"
        raise InputError("out", f"got {found}, expected {wanted}", f"use numpy.empty({shape})")
    return out
