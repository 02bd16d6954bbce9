"""Arrays between pages that trap: a kernel that reaches one byte too far ends the process."""

import ctypes
import mmap

import numpy as np

_PROT_NONE = 0
_libc = ctypes.CDLL(None, use_errno=True)


def _forbid(address):
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), _PROT_NONE):
        raise OSError(ctypes.get_errno(), "mprotect")


def guarded(shape, dtype, at_end=True):
    """Uninitialized, contiguous, with no byte to read behind it, or none in front of it."""
    dtype = np.dtype(dtype)
    size_bytes = int(np.prod(shape)) * dtype.itemsize
    usable = -(-max(size_bytes, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, usable + 2 * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + mmap.PAGESIZE + usable):
        _forbid(page)
    offset = mmap.PAGESIZE + (usable - size_bytes if at_end else 0)
    count = int(np.prod(shape))
    return np.frombuffer(memory, dtype, count, offset).reshape(shape)


def guarded_copy(values, at_end=True):
    """The same values, dtype and order of axes in memory; strides without gaps."""
    order = np.argsort([-abs(stride) for stride in values.strides], kind="stable")
    copy = guarded([values.shape[axis] for axis in order], values.dtype, at_end)
    turned = copy.transpose(np.argsort(order))
    turned[...] = values
    return turned
