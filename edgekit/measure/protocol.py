"""What parent and worker say to each other: one JSON object a line.

The parent sends a `Request`, the worker answers each with one `Answer`. A worker whose input ends
dies at once, whatever it is doing: that is how no worker outlives its parent.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from edgekit.engines import Array
from edgekit.manifest import Tensor


class Load(Struct, frozen=True, tag=True):
    """Load one side, run it once cold, warm it up.

    Attributes:
        role: what to call it from now on, such as `"baseline"`.
        path: a .onnx, .tflite or .edgekit file.
        threads: that one inference may use.
        samples: for each sample, the .npy file of each model input; or, under the name "", of
            the one raw input. With `raw`, samples go through the bundle's features first.
        raw: time features, model and decoder of a bundle instead of the model alone.
        warm_calls: calls before timing counts, fewer where they take more than half a second.
    """

    role: str
    path: str
    threads: int
    samples: list[dict[str, str]]
    raw: bool
    warm_calls: int


class Block(Struct, frozen=True, tag=True):
    """Time calls in exactly this order. The n-th call of every role takes the same sample.

    Attributes:
        order: roles, one for each call.
        first_sample: index of the first sample; later ones follow and wrap around.
    """

    order: list[str]
    first_sample: int


class Open(Struct, frozen=True, tag=True):
    """Load a model to run it for its answers, not for its times.

    Attributes:
        path: a .onnx, .tflite or .edgekit file.
        threads: that one inference may use.
    """

    path: str
    threads: int


class Packed(Struct, frozen=True, tag=True):
    """An array: its dtype, its shape, its bytes in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Texts(Struct, frozen=True, tag=True):
    """An array of strings."""

    shape: tuple[int, ...]
    values: list[str]


class Infer(Struct, frozen=True, tag=True):
    """Run the model that was opened once, on arrays by input name."""

    feeds: dict[str, Packed | Texts]


class Opened(Struct, frozen=True, tag=True):
    """What the model that was opened must be fed."""

    inputs: tuple[Tensor, ...]


class Inferred(Struct, frozen=True, tag=True):
    """The model's outputs by name."""

    outputs: dict[str, Packed | Texts]


class Loaded(Struct, frozen=True, tag=True):
    """One side is ready.

    Attributes:
        load_ms: from file to runnable, digests and graph optimization included.
        first_ms: the first call, cold.
        warm_ms: the fastest of the warm-up calls: what to plan with.
        waits: share of the warm-up calls that waited for something; 1.0 where nobody can tell.
        peak_mb: peak resident memory of the process until now; None where it is not told.
        runtime: name and version of what runs the model.
    """

    load_ms: float
    first_ms: float
    warm_ms: float
    waits: float
    peak_mb: float | None
    runtime: str


class Times(Struct, frozen=True, tag=True):
    """Every call of a block, in nanoseconds, by role in the order they ran.

    Attributes:
        total_ns: wall time.
        features_ns: the part of it that went into features; empty without `raw`.
        cpu_ns: CPU time of the thread that made the call; empty where it cannot stand for the
            call: several threads, or a system that does not tell waits.
        waits: calls that gave up the CPU by themselves, for a disk, a lock or a sleep.
        energy_uj: that the whole machine took during the block; None where it does not tell.
    """

    total_ns: dict[str, list[int]]
    features_ns: dict[str, list[int]]
    cpu_ns: dict[str, list[int]]
    waits: dict[str, int]
    energy_uj: int | None = None


class Refused(Struct, frozen=True, tag=True):
    """An `EdgekitError`, by the name of its class and its three parts."""

    error: str
    thing: str
    problem: str
    way_out: str


Request: TypeAlias = Load | Block | Open | Infer
Answer: TypeAlias = Loaded | Times | Opened | Inferred | Refused


def encode(message: Request | Answer) -> bytes:
    """One line."""
    return msgspec.json.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """A request from its line."""
    request: Request = msgspec.json.decode(line, type=Request)
    return request


def decode_answer(line: bytes) -> Answer:
    """An answer from its line."""
    answer: Answer = msgspec.json.decode(line, type=Answer)
    return answer


def pack(arrays: Mapping[str, Array]) -> dict[str, Packed | Texts]:
    """Arrays as messages."""
    return {name: _packed(np.asarray(array)) for name, array in arrays.items()}


def _packed(array: Array) -> Packed | Texts:
    if array.dtype.kind in "OUS":
        return Texts(array.shape, [str(text) for text in array.ravel()])
    return Packed(array.dtype.str, array.shape, array.tobytes())


def unpack(arrays: Mapping[str, Packed | Texts]) -> dict[str, Array]:
    """Messages as arrays, which may be written to."""
    return {name: _unpacked(array) for name, array in arrays.items()}


def _unpacked(array: Packed | Texts) -> Array:
    if isinstance(array, Texts):
        return np.array(array.values, dtype=object).reshape(array.shape)
    return np.frombuffer(bytearray(array.data), dtype=array.dtype).reshape(array.shape)
