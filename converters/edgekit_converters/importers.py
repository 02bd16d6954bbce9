"""A trained model's file → the model under work, or a refusal that says what to do."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto

from edgekit.engines import engine_for, first_line, open_engine
from edgekit.errors import ModelError, StorageError
from edgekit.manifest import Engine, Tensor
from edgekit_converters.graph import DEFAULT_DOMAIN, all_graphs, all_tensors, opset
from edgekit_converters.passes.dead_ends import weights_are_no_inputs
from edgekit_converters.passes.node_names import part_names

OLDEST_OPSET = 7
"""The oldest that onnxruntime promises to run (its compatibility page)."""
LARGEST_BYTES = 2**31 - 1
"""The most that one protobuf message may hold."""
TFLITE_MAGIC = b"TFL3"
EXPORT_AGAIN = "export the model again"


@dataclass(frozen=True)
class Source:
    """A trained model as it came, checked and run-able.

    Attributes:
        path: where it was read from.
        engine: the runtime that runs it.
        content: the file that a bundle would carry; weights stored beside an ONNX are inside.
        sha256: of `content`.
        model: the ONNX graph, or None for a .tflite, which can only be packed as it is.
        inputs: what the runtime must be fed.
        outputs: what it returns.
    """

    path: Path
    engine: Engine
    content: bytes
    sha256: str
    model: ModelProto | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read_model(path: Path) -> Source:
    """Read a .onnx or .tflite file.

    Raises:
        UsageError: neither .onnx nor .tflite.
        StorageError: the file cannot be read.
        ModelError: it is damaged, incomplete, or outside what the runtime can run.
    """
    engine = engine_for(path)
    thing = f"model {str(path)!r}"
    content = read_bytes(path, thing)
    model = None
    if engine == "onnxruntime":
        model = parse_onnx(content, _data_folders(path), thing)
        content = model.SerializeToString(deterministic=True)
        weights_are_no_inputs(model)  # but what came is measured as it came
    elif content[4:8] != TFLITE_MAGIC:
        problem = f"bytes 4 to 8 are {content[4:8]!r}, a TFLite file has {TFLITE_MAGIC!r} there"
        raise ModelError(thing, problem, "check that the file is whole, or convert it again")
    try:
        session = open_engine(engine, content)
    except ModelError as error:
        raise ModelError(thing, error.problem, error.way_out) from error
    try:
        digest = hashlib.sha256(content).hexdigest()
        return Source(path, engine, content, digest, model, session.inputs, session.outputs)
    finally:
        session.close()


def read_bytes(path: Path, thing: str) -> bytes:
    """Content of a file.

    Raises:
        StorageError: the file cannot be read.
        ModelError: it is larger than any model may be.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            problem = f"it has {path.stat().st_size} bytes, more than a protobuf holds"
            raise ModelError(thing, problem, "store its weights beside it, or split it")
        return path.read_bytes()
    except OSError as error:
        problem = f"it cannot be read ({error.strerror or error})"
        raise StorageError(thing, problem, "check the path and its permissions") from error


def _data_folders(path: Path) -> tuple[Path, ...]:
    """Where weights stored beside a model may lie: by its name, then by what that links to."""
    return tuple(dict.fromkeys((path.parent, path.resolve().parent)))


def parse_onnx(content: bytes, folders: Sequence[Path], thing: str) -> ModelProto:
    """Parse an ONNX file, with the weights stored beside it, and check it.

    Args:
        content: the file.
        folders: where external data is looked for, in this order.
        thing: what to call the model in an error.

    Raises:
        ModelError: truncated, incomplete, an unsupported opset, an unknown operator, NaN weights.
    """
    try:
        model = ModelProto.FromString(content)
    except DecodeError as error:
        problem = f"its {len(content)} bytes are not an ONNX file ({first_line(error)})"
        raise ModelError(
            thing, problem, "check that the file is whole, or copy it again"
        ) from error
    if not model.graph.node and not model.graph.output:
        problem = f"its {len(content)} bytes hold no graph"
        raise ModelError(thing, problem, "check that the file is whole, or copy it again")
    way_out = f"check that the file is whole, or {EXPORT_AGAIN}"
    try:
        check_opset(model, thing)
        load_external_data(model, folders, thing)
        check_operators(model, thing)
        check_weights(model, thing)
        part_names(model)
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        problem = f"onnx.checker refuses it: {first_line(error)}"
        raise ModelError(thing, problem, way_out) from error
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        # what is damaged says so where it is read: sizes that do not fit, names that are no text
        raise ModelError(thing, f"it is damaged: {first_line(error)}", way_out) from error
    return model


def check_opset(model: ModelProto, thing: str) -> None:
    """Refuse operator sets that the runtime does not promise to run."""
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= opset(model) <= newest:
        problem = f"it uses opset {opset(model)}, supported are {OLDEST_OPSET} to {newest}"
        raise ModelError(thing, problem, f"{EXPORT_AGAIN} with opset_version=17")


def check_operators(model: ModelProto, thing: str) -> None:
    """Refuse operators that the model's own operator set does not have."""
    local = {(function.domain, function.name) for function in model.functions}
    unknown = {
        node.op_type
        for graph in all_graphs(model.graph)
        for node in graph.node
        if node.domain in DEFAULT_DOMAIN
        and (node.domain, node.op_type) not in local
        and not onnx.defs.has(node.op_type, opset(model), "")
    }
    if unknown:
        problem = f"opset {opset(model)} has no operator {_listed(unknown)}"
        way_out = f"{EXPORT_AGAIN} with standard operators"
        raise ModelError(thing, problem, way_out)


def check_weights(model: ModelProto, thing: str) -> None:
    """Refuse NaN in stored tensors: no output of such a model means anything."""
    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
    for tensor in all_tensors(model.graph):
        if tensor.data_type in floats and np.isnan(onnx.numpy_helper.to_array(tensor)).any():
            problem = f"its weight {tensor.name!r} has NaN values"
            raise ModelError(thing, problem, "train or export it again")


def load_external_data(model: ModelProto, folders: Sequence[Path], thing: str) -> None:
    """Bring weights stored beside the model into it.

    The file may be a link to somewhere else, as in the caches of model hubs; what the model itself
    says, the name, may not lead out of its folder.

    Raises:
        ModelError: a file is missing or too short, or lies outside the model's folder.
    """
    stored = [tensor for tensor in all_tensors(model.graph) if _is_external(tensor)]
    parts = [_external_part(each, folders, thing) for each in stored]
    size_bytes = model.ByteSize() + sum(part.size_bytes for part in parts)
    if size_bytes > LARGEST_BYTES:
        problem = f"with its external data it has {size_bytes} bytes, more than a protobuf holds"
        raise ModelError(thing, problem, "split the model, or export it in float16")
    for tensor, part in zip(stored, parts, strict=True):
        tensor.raw_data = part.read(thing)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _is_external(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL


@dataclass(frozen=True)
class _Part:
    """Where a weight is stored."""

    path: Path
    offset: int
    size_bytes: int

    def read(self, thing: str) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size_bytes)
        except OSError as error:
            problem = f"{str(self.path)!r} cannot be read ({error.strerror or error})"
            raise StorageError(thing, problem, "check its permissions") from error


def _external_part(tensor: TensorProto, folders: Sequence[Path], thing: str) -> _Part:
    """Where a weight is said to lie, checked."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = next((each for each in folders if (each / location).is_file()), folders[0])
    path = folder / location
    way_out = f"put the file beside the model, or {EXPORT_AGAIN} as one file"
    if not location or not _is_inside(path, location, folder):
        problem = f"weight {tensor.name!r} is said to lie at {location!r}, outside its folder"
        raise ModelError(thing, problem, way_out)
    if not path.is_file():
        problem = f"weight {tensor.name!r} lies in {location!r}, which is not in {str(folder)!r}"
        raise ModelError(thing, problem, way_out)
    offset, length = (entries.get(key, "0") for key in ("offset", "length"))
    if not (offset.isdecimal() and length.isdecimal()):
        problem = f"weight {tensor.name!r} is said to lie at offset {offset!r}, length {length!r}"
        raise ModelError(thing, problem, EXPORT_AGAIN)
    size_bytes = path.stat().st_size
    if int(offset) + int(length) > size_bytes:
        problem = (
            f"weight {tensor.name!r} ends at byte {int(offset) + int(length)} of {location!r}, "
            f"which has {size_bytes}"
        )
        raise ModelError(thing, problem, f"copy {location!r} again")
    wanted = int(length) if "length" in entries else size_bytes - int(offset)
    return _Part(path, int(offset), wanted)


def _is_inside(path: Path, location: str, folder: Path) -> bool:
    """Whether a named file lies in the folder: no `..`, no root, no folder that is a link out."""
    named = PureWindowsPath(location)  # its separators include those of other systems
    return (
        not named.drive
        and not named.root
        and ".." not in named.parts
        and path.parent.resolve().is_relative_to(folder.resolve())
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
