"""The files beside an ONNX model that hold its large weights: part of the model, so of its size.

The device package has no onnx, so this walks the few protobuf fields that lead to them.
Source: onnx.proto, messages ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto.
"""

from collections.abc import Iterator
from pathlib import Path

from edgekit.errors import StorageError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

MODEL, GRAPH, NODE, ATTRIBUTE, SPARSE, TENSOR, FUNCTION = (
    "model", "graph", "node", "attribute", "sparse", "tensor", "function",
)  # fmt: skip
CHILDREN: dict[str, dict[int, str]] = {
    MODEL: {7: GRAPH, 25: FUNCTION},
    GRAPH: {1: NODE, 5: TENSOR, 15: SPARSE},
    NODE: {5: ATTRIBUTE},
    ATTRIBUTE: {5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 22: SPARSE, 23: SPARSE},
    SPARSE: {1: TENSOR, 2: TENSOR},
    FUNCTION: {7: NODE},
}
"""Field numbers of the messages inside each message that can hold a tensor."""

EXTERNAL_DATA = 13  # of a tensor: pairs of key (1) and value (2)


def external_files(model: bytes) -> tuple[str, ...]:
    """The locations that a model's tensors name, as written there, each once, sorted.

    Args:
        model: the content of a .onnx file. What is no protobuf names nothing: the runtime will
            say what is wrong with it.
    """
    try:
        return tuple(sorted(set(_locations(memoryview(model), MODEL))))
    except (IndexError, UnicodeDecodeError, RecursionError):
        return ()


def external_paths(path: Path, content: bytes) -> dict[str, Path]:
    """The files of a plain ONNX model's external data, by their locations.

    Args:
        path: the model's; one that is not .onnx has none.
        content: of the model's own file.

    Raises:
        StorageError: one is missing, or lies outside of the model's folder.
    """
    if path.suffix != ".onnx":
        return {}
    folder = path.parent.resolve()
    files = {location: (folder / location).resolve() for location in external_files(content)}
    for location, file in files.items():
        if not file.is_relative_to(folder):
            raise _misplaced(path, location, "it leaves the model's folder")
        if not file.is_file():
            raise _misplaced(path, location, "there is no such file")
    return files


def external_parts(path: Path, content: bytes) -> Iterator[bytes]:
    """What the files of a plain ONNX model's external data hold.

    Args:
        path: as `external_paths`.
        content: as `external_paths`.

    Raises:
        StorageError: one is missing, cannot be read, or lies outside of the model's folder.
    """
    for location, file in external_paths(path, content).items():
        try:
            yield file.read_bytes()
        except OSError as error:
            raise _misplaced(path, location, f"it cannot be read ({error.strerror})") from error


def _misplaced(path: Path, location: str, problem: str) -> StorageError:
    thing = f"model {str(path)!r}, external data {location!r}"
    return StorageError(thing, problem, "put it beside the model")


def _locations(message: memoryview, kind: str) -> Iterator[str]:
    for number, content in _fields(message):
        if kind == TENSOR:
            if number == EXTERNAL_DATA:
                pair = {n: bytes(each).decode() for n, each in _fields(content)}
                if pair.get(1) == "location":
                    yield pair.get(2, "")
        elif number in CHILDREN[kind]:
            yield from _locations(content, CHILDREN[kind][number])


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The length-delimited fields of a message: (number, content).

    Raises:
        IndexError: it is no protobuf message.
    """
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == BYTES:
            size, place = _varint(message, place)
            if place + size > len(message):
                raise IndexError("a field reaches beyond its message")
            yield tag >> 3, message[place : place + size]
            place += size
        elif kind == VARINT:
            _, place = _varint(message, place)
        elif kind in (FIXED64, FIXED32):
            place += 8 if kind == FIXED64 else 4
        else:
            raise IndexError(f"there is no wire type {kind}")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise IndexError("a number is too long")
