"""What this machine runs, and memory as the kernels want it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import InternalError, UsageError

KEPT_BYTES = 1 << 20


def available_isas() -> tuple[str, ...]:
    """Instruction sets that are compiled in and run here, from `portable` to the best one."""
    return tuple(ffi.string(lib.ek_isa_name(isa)).decode() for isa in range(lib.ek_best_isa() + 1))


def cpu_features() -> tuple[str, ...]:
    """Names of the features that the CPU and the operating system offer: `avx2`, `dotprod`, ..."""
    found = lib.ek_cpu_features()
    names = (name for name in dir(lib) if name.startswith("EK_CPU_"))
    return tuple(name[7:].lower() for name in names if found & getattr(lib, name))


def isa_number(isa: str | None) -> int:
    """The number by which the kernels know an instruction set; None is the best one here.

    Raises:
        UsageError: it is not available here.
    """
    if isa is None:
        return int(lib.ek_best_isa())
    available = available_isas()
    if isa not in available:
        raise UsageError(
            f"instruction set {isa!r}", "not available here", f"use one of {', '.join(available)}"
        )
    return available.index(isa)


def check(status: int, operation: str) -> None:
    """Raise an InternalError when a kernel refused what its caller should have checked."""
    if status != lib.EK_OK:
        raise InternalError(operation, f"the kernel returned {status}", "report this as a bug")


def aligned(size_bytes: int) -> NDArray[np.uint8]:
    """Uninitialized bytes that start where the kernels want plans and scratch to start."""
    memory = np.empty(size_bytes + lib.EK_ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % lib.EK_ALIGNMENT
    return memory[start : start + size_bytes]


class Scratch:
    """Memory for one call at a time, kept for the next: as many pieces as threads were in at once.

    New memory would be zeroed by the operating system at every call, which takes longer than short
    calls do. Pieces above a megabyte are not kept.
    """

    __slots__ = ("_free", "_size_bytes")

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._free: list[Any] = []

    def take(self) -> Any:
        """A pointer to memory that nobody else has; `give_back` it after the call."""
        try:
            return self._free.pop()
        except IndexError:
            return ffi.from_buffer(aligned(self._size_bytes))

    def give_back(self, memory: Any) -> None:
        """Keep it for the next call."""
        if self._size_bytes <= KEPT_BYTES:
            self._free.append(memory)
