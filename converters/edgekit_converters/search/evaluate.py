"""A candidate's answers and score, on samples that are made once."""

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from edgekit.engines import Array, engine_for, open_engine
from edgekit.errors import TaskError
from edgekit.measure.accuracy import Predictions, predict_all
from edgekit.task import Run, Sample, Task

REMEMBERED_BYTES = 256 << 20
"""How much of the samples may be kept: a search looks at the same ones many times."""


@dataclass(frozen=True)
class RememberedTask(Task):
    """A task whose samples are made once as long as they fit in memory.

    They are kept pickled: every use gets its own copy, as if it had been made anew.
    """

    limit_bytes: int = REMEMBERED_BYTES
    _digests: dict[str, str | None] = field(default_factory=dict, repr=False, compare=False)
    _kept: dict[str, list[bytes]] = field(default_factory=dict, repr=False, compare=False)

    def samples(self, split: str) -> Iterator[Sample]:
        """See `Task.samples`."""
        if split in self._kept:
            yield from map(pickle.loads, self._kept[split])
            return
        kept: list[bytes] = []
        digest = hashlib.sha256()
        free = self.limit_bytes - sum(len(each) for part in self._kept.values() for each in part)
        fits = known = True
        for sample in super().samples(split):
            pickled = _pickled(sample) if known else None
            known = pickled is not None
            digest.update(pickled or b"")
            fits = fits and pickled is not None and len(pickled) <= free
            if fits and pickled is not None:
                kept.append(pickled)
                free -= len(pickled)
            else:
                kept.clear()
            yield sample
        self._digests[split] = digest.hexdigest() if known else None
        if fits:
            self._kept[split] = kept

    def digest(self, split: str) -> str | None:
        """Of all samples of a split; None where one cannot be pickled."""
        if split not in self._digests:
            for _ in self.samples(split):
                pass
        return self._digests[split]


def remembering(task: Task, memory_bytes: int = 8 * REMEMBERED_BYTES) -> RememberedTask:
    """The task with samples that are made once.

    Args:
        task: as it was loaded.
        memory_bytes: of all that the search may take; an eighth of it goes to samples.
    """
    if isinstance(task, RememberedTask):
        return task
    limit_bytes = min(REMEMBERED_BYTES, memory_bytes // 8)
    known = {each.name: getattr(task, each.name) for each in fields(task)}
    return RememberedTask(**known, limit_bytes=limit_bytes)


def predict_with(
    model: Path,
    task: Task,
    split: str,
    progress: Callable[[int], None] | None = None,
    watch: Callable[[Mapping[str, Array]], None] | None = None,
) -> Predictions:
    """Answers of a model file on a split.

    Args:
        model: its file.
        task: whose split and `predict`.
        split: `"calibration"` or `"evaluation"`.
        progress: told the number of samples done.
        watch: shown the inputs of every call.

    Raises:
        TaskError: the task breaks a promise.
        ModelError: the model does not load or run.
    """
    with running(model) as run:

        def watched(feeds: Mapping[str, Array]) -> dict[str, Array]:
            if watch is not None:
                watch(feeds)
            return run(feeds)

        return predict_all(task, watched, split, progress)


def check_score(task: Task, answers: Predictions, split: str) -> None:
    """Refuse the answers of the model that came where no drop from them can be judged.

    Raises:
        TaskError: they score 0.
    """
    if answers.score == 0:
        count = len(answers.labels)
        problem = f"the model that came scores 0 on the {count} samples of the {split} split"
        way_out = "make labels, predict() and score() fit each other: from 0 no drop can be judged"
        raise TaskError(task.thing, problem, way_out)


@contextmanager
def running(model: Path) -> Iterator[Run]:
    """A loaded model file as what a task's `predict` calls."""
    engine = open_engine(engine_for(model), model)
    try:
        yield engine.run
    finally:
        engine.close()


def _pickled(sample: Sample) -> bytes | None:
    try:
        return pickle.dumps(sample, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:  # anything may be in a sample; then it is made again each time
        return None
