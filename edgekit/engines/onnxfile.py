"""What an .onnx file says of itself, read without parsing its graph.

Model protobuf (onnx.proto): field 7 is the graph, which is stepped over; field 14 holds the
metadata, pairs of key (1) and value (2).
"""

import io
import platform
from pathlib import Path
from typing import BinaryIO

import numpy as np

METADATA = 14
OPTIMIZED = "edgekit.optimized"
"""The runtime that already did all its rewriting: loading need not try again."""
LAYOUT = "edgekit.layout"
"""Machines whose blocked layout the weights are stored in; absent where any machine will do."""
LONGEST = 1 << 16
"""Of one metadata entry; what is longer is none of ours."""


def metadata(model: bytes | Path) -> dict[str, str]:
    """Keys and values stored beside the graph; empty where the file is no such thing.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(model, Path):
        with model.open("rb") as file:
            return _entries(file)
    return _entries(io.BytesIO(model))


def this_layout() -> str:
    """The blocked layout of onnxruntime on this machine: `x86_64/16` with AVX-512, else 8 wide."""
    return f"{platform.machine()}/{16 if _has_avx512() else 8}"


def _has_avx512() -> bool:
    """NumPy knows without being asked twice; loading the kernels for it would take longer."""
    features = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    known: dict[str, bool] | None = getattr(features, "__cpu_features__", None)
    if known is not None and "AVX512F" in known:
        return known["AVX512F"]
    from edgekit.kernels import cpu_features

    return "avx512" in cpu_features()


def _entries(file: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        tag = _varint(file)
        if tag is None:
            return found
        if tag & 7 == 0:
            _varint(file)
            continue
        size = _varint(file)
        if tag & 7 != 2 or size is None:
            return found
        if tag >> 3 == METADATA and size <= LONGEST:
            pair = _pair(file.read(size))
            found[pair.get(1, "")] = pair.get(2, "")
        else:
            file.seek(size, io.SEEK_CUR)


def _pair(data: bytes) -> dict[int, str]:
    file, found = io.BytesIO(data), {}
    while (tag := _varint(file)) is not None:
        size = _varint(file)
        if tag & 7 != 2 or size is None:
            break
        found[tag >> 3] = file.read(size).decode(errors="replace")
    return found


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 127) << (7 * place)
        if byte[0] < 128:
            return value
    return None
