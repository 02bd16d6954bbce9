"""A loaded bundle with state between chunks: audio in, a result for each window of frames."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import BundleError, UsageError
from edgekit.features import LogMel, Mfcc, MicroFrontend, build
from edgekit.manifest import Feature, Manifest, StreamSpec

Answer = TypeVar("Answer")
Finish = Callable[[Mapping[str, NDArray[Any]], float], Answer]


class Stream(Generic[Answer]):
    """A model's answers to audio that comes in chunks; `Model.stream()` makes one.

    The frames are those of the whole signal, whatever the chunks. The first answer comes when
    there are `frames` frames, each further one after `hop_frames` more; the manifest says how
    many. Memory is bounded. A stream has state: one thread at a time, and a second one is refused.
    Streams of one model are independent, and may run in threads of their own.

    Args:
        wish: the manifest's feature, with its `stream`.
        finish: inference and decoding: feeds and the features' milliseconds to an answer.
    """

    def __init__(self, wish: Feature, finish: Finish[Answer]) -> None:
        features, stream = build(wish.spec), wish.stream
        if not isinstance(features, LogMel | Mfcc | MicroFrontend) or not isinstance(
            stream, StreamSpec
        ):
            problem = f"the features of input {wish.input!r} have no stream"
            raise UsageError("a stream", problem, "pack the bundle with one, or call run()")
        self._frames = features.stream()
        self._wish, self._finish = wish, finish
        self._length, self._hop = stream.frames, stream.hop_frames
        columns = self._frames.columns
        self._window = np.empty((self._length, columns), np.float32)
        self._start()

    def push(self, samples: NDArray[Any]) -> list[Answer]:
        """Take a chunk; the answers that it completes, none, one or many.

        Args:
            samples: float32 or int16 of shape (n,), any n, also 0, as the features take them.

        Raises:
            InputError: another dtype or shape.
            ModelError: the runtime fails, or the model is closed. The stream must be reset.
            UsageError: another thread is in a call of this stream.
        """
        return self._answers(lambda: self._frames.push(samples))

    def flush(self) -> list[Answer]:
        """The answers of the frames at the end; the stream is new afterwards.

        Frames that make no whole window get no answer.
        """
        answers = self._answers(self._frames.flush)
        self._start()
        return answers

    def reset(self) -> None:
        """Forget what came so far."""
        self._frames.reset()
        self._start()

    def _start(self) -> None:
        self._held = 0
        self._skip = 0
        self._busy = False
        self._features_ns = 0

    def _answers(self, rows: Callable[[], NDArray[np.float32]]) -> list[Answer]:
        if self._busy:
            problem = "another thread is in a call of it"
            raise UsageError("stream", problem, "give each thread its own stream")
        self._busy = True
        try:
            started = time.perf_counter_ns()
            found = rows()
            self._features_ns += time.perf_counter_ns() - started
            return self._windows(found)
        finally:
            self._busy = False

    def _windows(self, rows: NDArray[np.float32]) -> list[Answer]:
        answers = []
        while len(rows) > 0:
            skipped = min(self._skip, len(rows))
            taken = min(self._length - self._held, len(rows) - skipped)
            self._window[self._held : self._held + taken] = rows[skipped : skipped + taken]
            self._skip -= skipped
            self._held += taken
            rows = rows[skipped + taken :]
            if self._held == self._length:
                answers.append(self._answer())
        return answers

    def _answer(self) -> Answer:
        feed = self._window.reshape((1,) * self._wish.leading_axes + self._window.shape)
        answer = self._finish({self._wish.input: feed}, self._features_ns / 1e6)
        self._features_ns = 0
        self._held = max(self._length - self._hop, 0)
        self._skip = max(self._hop - self._length, 0)
        if self._held > 0:
            self._window[: self._held] = self._window[self._hop :].copy()
        return answer


def streamed(manifest: Manifest, thing: str) -> Feature:
    """The feature of a bundle that can be streamed.

    Args:
        manifest: of the bundle.
        thing: what to call it in an error.

    Raises:
        UsageError: the bundle has more inputs than one, or no stream.
        BundleError: windows have not the shape of the model's input.
    """
    wish = next((w for w in manifest.features if isinstance(w.stream, StreamSpec)), None)
    if wish is None or len(manifest.inputs) != 1:
        inputs = len(manifest.inputs)
        problem = f"its manifest declares no stream, {inputs} input{'s' * (inputs != 1)}"
        way_out = "pack it with a feature that has `stream`, or call run() on whole inputs"
        raise UsageError(f"a stream of {thing}", problem, way_out)
    _check_shape(wish, manifest, thing)
    return wish


def _check_shape(wish: Feature, manifest: Manifest, thing: str) -> None:
    shape = next(t.shape for t in manifest.inputs if t.name == wish.input)
    features = build(wish.spec)
    if not isinstance(features, LogMel | Mfcc | MicroFrontend) or not isinstance(
        wish.stream, StreamSpec
    ):
        return
    columns = features.stream().columns
    window = ((1,) * wish.leading_axes) + (wish.stream.frames, columns)
    fits = len(shape) == len(window) and all(
        isinstance(wanted, str) or wanted == found
        for wanted, found in zip(shape, window, strict=True)
    )
    if not fits:
        problem = f"windows have the shape {list(window)}, input {wish.input!r} {list(shape)}"
        raise BundleError(thing, problem, "pack it again with frames that fit")
