"""Load a bundle and run it: joins bundle, features, engine and decoder."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec
import numpy as np

from edgekit import decoders, features, selftest
from edgekit.bundle import Bundle
from edgekit.decoders import Decoded
from edgekit.engines import Array, Engine, open_engine
from edgekit.errors import BundleError, InputError
from edgekit.manifest import Feature, Manifest, Tensor
from edgekit.stream import Stream, streamed

Verify = Literal["self-test", "digest"]


@dataclass(frozen=True)
class Result:
    """What one run gave.

    Attributes:
        value: as the bundle's decoder makes it: `Text`, labels, or the outputs themselves.
        outputs: the model's outputs by name.
        features_ms: wall time of the features, in milliseconds.
        model_ms: wall time of the inference, in milliseconds.
    """

    value: Decoded
    outputs: Mapping[str, Array]
    features_ms: float
    model_ms: float


def load(path: str | Path, *, threads: int = 1, verify: Verify | None = None) -> "Model":
    """Load a bundle, ready to run. Every digest is checked, always.

    Args:
        path: the `.edgekit` file.
        threads: threads that one inference may use.
        verify: `"self-test"` runs the golden cases, `"digest"` does not. None, the default,
            runs them the first time this bundle is loaded with this runtime on this machine.

    Raises:
        BundleError: the bundle is damaged, hostile, or fails its self-test here.
        ModelError: the runtime refuses the model.
        MissingExtraError: the runtime is not installed.
        StorageError: the file cannot be read.
    """
    with Bundle.open(path) as bundle:
        model = Model(bundle, threads=threads)
        try:
            passed = selftest.Passed(bundle, model.runtime)
            if verify == "self-test" or (verify is None and not passed.known()):
                selftest.run_self_test(bundle, model.features, model.infer)
                passed.remember()
        except BaseException:
            model.close()
            raise
    return model


class Model:
    """A loaded bundle. `run` may be called from several threads; a context manager."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.manifest: Manifest = bundle.manifest
        self.name = f"{self.manifest.name} {self.manifest.version}"
        self.labels = read_labels(bundle)
        self._engine: Engine = open_engine(
            self.manifest.engine, bundle.read(self.manifest.model), threads=threads
        )
        try:
            _check_tensors(bundle, self._engine)
            self._extract = Extractor(self.manifest.features, self._engine.inputs)
            self._decode = decoders.build(self.manifest.decoder, self.labels)
        except BaseException:
            self._engine.close()
            raise

    @property
    def runtime(self) -> str:
        """Name and version of the runtime that runs the model."""
        return self._engine.runtime

    def run(self, raw: Any) -> Result:
        """Features, inference and decoding of one raw input.

        Args:
            raw: what the bundle's features take (float32 or int16 samples, a uint8 image); or
                the model's input array; or, for several inputs, a mapping by input name.

        Raises:
            InputError: the input is not what the manifest says.
            ModelError: the runtime fails, or the model is closed.
        """
        started = time.perf_counter_ns()
        feeds = self.features(raw)
        extracted = time.perf_counter_ns()
        return self._finish(feeds, (extracted - started) / 1e6)

    def stream(self) -> Stream[Result]:
        """The same for audio that comes in chunks, where the manifest's features have a `stream`.

        Returns:
            A stream: `push(samples)` and `flush()` give a list of results, one for each window of
            frames; `features_ms` is the time since the result before. One thread at a time for a
            stream; several streams of one model may run at once. It lives as long as the model.

        Raises:
            UsageError: the bundle declares no stream.
            BundleError: its windows do not have the shape of the model's input.
        """
        return Stream(streamed(self.manifest, f"bundle {self.name!r}"), self._finish)

    def _finish(self, feeds: Mapping[str, Array], features_ms: float) -> Result:
        started = time.perf_counter_ns()
        outputs = self.infer(feeds)
        done = time.perf_counter_ns()
        return Result(self._decode(outputs), outputs, features_ms, (done - started) / 1e6)

    def features(self, raw: Any) -> dict[str, Array]:
        """The model's inputs made from a raw input, by input name."""
        return self._extract(raw)

    def infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference without features and decoder: arrays by name to arrays by name."""
        return self._engine.run(feeds)

    def close(self) -> None:
        """Free the runtime's memory."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Extractor:
    """Raw input to model inputs, as the manifest's features say."""

    def __init__(self, wanted: tuple[Feature, ...], inputs: tuple[Tensor, ...]) -> None:
        self._inputs = inputs
        self._features = {wish.input: (features.build(wish.spec), wish) for wish in wanted}

    def __call__(self, raw: Any) -> dict[str, Array]:
        """Arrays by input name.

        Raises:
            InputError: a model with several inputs was given something else than a mapping, or
                a feature refuses its raw input.
        """
        return {tensor.name: self._feed(tensor, part) for tensor, part in self._parts(raw)}

    def _parts(self, raw: Any) -> list[tuple[Tensor, Any]]:
        if isinstance(raw, Mapping):
            names = [tensor.name for tensor in self._inputs]
            if sorted(raw) != sorted(names):
                problem = f"it has {sorted(raw)}, the model takes {sorted(names)}"
                raise InputError("the raw input", problem, "give exactly these")
            return [(tensor, raw[tensor.name]) for tensor in self._inputs]
        if len(self._inputs) != 1:
            problem = f"it is one {type(raw).__name__}, the model has {len(self._inputs)} inputs"
            names = [tensor.name for tensor in self._inputs]
            raise InputError("the raw input", problem, f"pass a mapping with {names}")
        return [(self._inputs[0], raw)]

    def _feed(self, tensor: Tensor, raw: Any) -> Array:
        if tensor.name not in self._features:
            return np.asarray(raw)
        extract, wish = self._features[tensor.name]
        return with_leading_axes(extract(raw), wish.leading_axes)


def with_leading_axes(array: Array, count: int) -> Array:
    """The array behind `count` axes of size 1: a model's batch axis and the like."""
    return array.reshape((1,) * count + array.shape)


def read_labels(bundle: Bundle) -> tuple[str, ...] | None:
    """The name of each class; None where the bundle names none.

    Raises:
        BundleError: they are no list of strings.
    """
    path = bundle.manifest.labels
    if path is None:
        return None
    try:
        return msgspec.json.decode(bundle.read(path), type=tuple[str, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"{path} is not a JSON list of strings: {error}"
        raise BundleError(bundle.thing, problem, "pack it again") from error


def _check_tensors(bundle: Bundle, engine: Engine) -> None:
    """The manifest must say of the model's inputs and outputs what the runtime says."""
    manifest = bundle.manifest
    for what, said, found in (
        ("inputs", manifest.inputs, engine.inputs),
        ("outputs", manifest.outputs, engine.outputs),
    ):
        if said != found:
            problem = f"the manifest's {what} are {_list(said)}, the model's are {_list(found)}"
            raise BundleError(bundle.thing, problem, "pack it again")


def _list(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join(f"{t.name}: {t.dtype} {list(t.shape)}" for t in tensors) or "none"
