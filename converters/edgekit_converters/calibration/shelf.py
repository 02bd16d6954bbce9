"""A pass over the calibration split that goes on where an interrupted one stopped.

What a pass has collected is saved every few seconds, and at its end. The next one of the same key
takes it and shows the task only the samples that were not counted yet.
"""

import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from edgekit.engines import Array
from edgekit.task import SPLITS, Run, Task

SAVE_EVERY_S = 2.0
SAVING_SHARE = 0.02
"""Of the time of a pass that saving may take: where it takes long, it is done less often."""
_DONE = "samples_done"


class Store(Protocol):
    """Bytes by key, between processes. What cannot be kept is not."""

    def get(self, key: str) -> bytes | None:
        """What was kept; None where nothing was, or it was damaged."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Keep it, where that is possible."""
        ...


class Collected(Protocol):
    """What a pass collects."""

    def arrays(self) -> dict[str, Array]:
        """All of it, by name."""
        ...

    def take(self, arrays: Mapping[str, Array]) -> None:
        """Go on from what `arrays` gave.

        Raises:
            ValueError: it is not that.
            KeyError: a part is missing.
            IndexError: likewise.
        """
        ...


def _to_nobody(line: str) -> None:
    """Nothing."""


@dataclass(frozen=True)
class Shelf:
    """Where passes are kept until the search that needs them ends.

    Attributes:
        store: of one search, as keys do not name the task's data; None keeps nothing.
        tell: told in a line what was found there.
    """

    store: Store | None = None
    tell: Callable[[str], None] = _to_nobody


@dataclass(frozen=True)
class Place:
    """One pass's place on a shelf.

    Attributes:
        shelf: where.
        key: of the model and of what is asked of it.
        what: the pass in words.
    """

    shelf: Shelf
    key: str
    what: str

    def restore(self, collected: Collected) -> int:
        """Take what an earlier pass collected; returns how many samples it has seen."""
        kept = self.shelf.store.get(self.key) if self.shelf.store is not None else None
        if kept is None:
            return 0
        try:
            with np.load(io.BytesIO(kept), allow_pickle=False) as arrays:
                done = int(arrays[_DONE])
                collected.take(arrays)
        except (ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError):
            return 0
        return done

    def save(self, collected: Collected, done: int) -> None:
        """Keep what was collected of so many samples."""
        if self.shelf.store is None:
            return
        arrays: dict[str, Any] = {_DONE: np.array(done), **collected.arrays()}
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        self.shelf.store.put(self.key, content.getvalue())


def key_of(*parts: bytes) -> str:
    """A digest."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def go_over(
    task: Task,
    run: Run,
    collected: Collected,
    place: Place,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Show the task the samples that were not counted yet.

    Args:
        task: whose `predict` calls `run`.
        run: adds to `collected`.
        collected: empty; holds the whole split at the end.
        place: where it is kept.
        progress: called with the number of samples done.

    Returns:
        How many samples the split has.

    Raises:
        TaskError: the task breaks a promise.
        ModelError: the model fails on an input.
    """
    done = place.restore(collected)
    samples, saved, wait_s = 0, time.monotonic(), SAVE_EVERY_S
    for samples, (raw, _label, _group) in enumerate(task.samples(SPLITS[0]), 1):
        if samples <= done:
            continue
        if samples == done + 1 > 1:
            place.shelf.tell(f"{place.what}: resumed, {done} samples were seen before")
        task.predict(run, raw)
        if progress is not None:
            progress(samples)
        began = time.monotonic()
        if began - saved > wait_s:
            place.save(collected, samples)
            saved = time.monotonic()
            wait_s = max(SAVE_EVERY_S, (saved - began) / SAVING_SHARE)
    if samples > done:
        place.save(collected, samples)
    return samples
