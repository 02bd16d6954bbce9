"""Count the instructions, loads and stores of a model in an emulated process."""

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import msgspec
import numpy as np

from edgekit.engines import Array
from edgekit.errors import CrashError, InternalError, StorageError
from edgekit.measure.devices.commands import end_session, last_words
from edgekit.measure.devices.comparison import differences, host_arrays
from edgekit.measure.devices.guest import (
    FEATURES,
    INFERENCE,
    NOTHING,
    Answered,
    Request,
    read_arrays,
)
from edgekit.measure.devices.measurement import Counted, Counts, Difference, SampleCounts
from edgekit.measure.devices.userland import Userland
from edgekit.measure.process import how_it_ended, rebuild
from edgekit.measure.protocol import Refused
from edgekit.measure.samples import Samples

Region = tuple[int, int]
"""(kind, sample)."""


@dataclass(frozen=True)
class Counting:
    """How much to count.

    Attributes:
        samples: of those given, at most; the cost of a model seldom depends on its input.
        calls: calls with each sample that count; the median of six repeats to 0.02 %.
        warm_calls: calls with each sample before.
        max_s: CPU seconds of calls after which one call a sample must do, warm or not: what a
            first call takes more, some 0.8 million instructions, is little in a large model.
        memory: whether loads and stores are counted; without them the process starts a third
            quicker.
        timeout_s: longest time that the emulated process may take.
    """

    samples: int = 2
    calls: int = 6
    warm_calls: int = 2
    max_s: float = 15.0
    memory: bool = True
    timeout_s: float = 600.0


SIX_CALLS = Counting()

Running: TypeAlias = "set[subprocess.Popen[bytes]]"
"""Emulated processes, for who must end them from another thread."""


def count(
    path: Path, samples: Samples, userland: Userland, counting: Counting, running: Running
) -> Counted:
    """Run a model on an emulated CPU and on this machine; what it costs there, what differs.

    Args:
        path: a .onnx, .tflite or .edgekit file.
        samples: what it is fed.
        userland: where it runs.
        counting: how much to count.
        running: has the emulated process while there is one.

    Raises:
        CrashError: the model ended or hung the emulated process.
        EdgekitError: the model cannot be run, there or here.
    """
    chosen = Samples(samples.values[: counting.samples], samples.raw, samples.source)
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        ran = _Run(path.resolve(), userland, counting, Path(folder), running)
        answer, regions = ran.run(chosen)
        found = [
            differences(number, read_arrays(Path(folder) / str(number)), expected)
            for number, expected in enumerate(host_arrays(path, chosen))
        ]
    return _counted(answer, regions, [each for part in found for each in part], chosen, userland)


class _Run:
    """One emulated process, from its request to its marks; nothing of it is left behind."""

    def __init__(
        self, path: Path, userland: Userland, counting: Counting, folder: Path, running: Running
    ) -> None:
        self._path = path
        self._userland = userland
        self._counting = counting
        self._folder = folder
        self._running = running
        self._thing = f"model {str(path)!r}"

    def run(self, samples: Samples) -> tuple[Answered, dict[Region, list[Counts]]]:
        try:
            request = self._request(samples)
            with (self._folder / "marks").open("w+b") as marks:
                answer = self._answer(request, marks)
                marks.seek(0)
                return answer, regions_of(marks)
        except OSError as error:
            problem = f"the samples cannot be exchanged: {error.strerror}"
            raise StorageError(f"folder {self._folder}", problem, "free some space") from error

    def _request(self, samples: Samples) -> bytes:
        counting = self._counting
        request = Request(
            path=str(self._path),
            samples=samples.write(self._folder),
            raw=samples.raw,
            calls=counting.calls,
            warm_calls=counting.warm_calls,
            max_s=counting.max_s,
            folder=str(self._folder),
        )
        return msgspec.json.encode(request)

    def _answer(self, request: bytes, marks: IO[bytes]) -> Answered:
        descriptor = marks.fileno()
        process = subprocess.Popen(
            self._userland.python(
                "-m",
                "edgekit.measure.devices.guest",
                counts=descriptor,
                memory=self._counting.memory,
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._userland.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=self._userland.base,
            pass_fds=[descriptor],
            start_new_session=True,
        )
        self._running.add(process)
        with process:
            try:
                stdout, stderr = process.communicate(request, self._counting.timeout_s)
            except subprocess.TimeoutExpired:
                problem = f"the emulated process took more than {self._counting.timeout_s:g} s"
                raise CrashError(self._thing, problem, "allow more time") from None
            finally:
                end_session(process)
                self._running.discard(process)
        return self._decode(process.returncode, stdout, stderr)

    def _decode(self, code: int, stdout: bytes, stderr: bytes) -> Answered:
        try:
            answer = msgspec.json.decode(stdout, type=Answered | Refused)
        except msgspec.DecodeError:
            problem = f"it ended the emulated {self._userland.cpu.name} process "
            problem += f"({how_it_ended(code)}: {last_words(stderr)})"
            raise CrashError(self._thing, problem, "run it there alone to see why") from None
        if isinstance(answer, Refused):
            raise rebuild(answer)
        return answer


def regions_of(lines: Iterable[bytes]) -> dict[Region, list[Counts]]:
    """What was counted between each two equal marks: lines of `count.c`, see there.

    Raises:
        InternalError: a mark has no partner.
    """
    regions: dict[Region, list[Counts]] = {}
    marks = iter([tuple(map(int, line.split())) for line in lines])
    for kind, sample, *before in marks:
        last_kind, last_sample, *after = next(marks, (0, 0, *before))
        if (kind, sample) != (last_kind, last_sample):
            raise InternalError("the QEMU plugin", "a mark has no partner", "report this bug")
        spent = (end - start for start, end in zip(before, after, strict=True))
        regions.setdefault((kind, sample), []).append(Counts(*spent))
    return regions


def _counted(
    answer: Answered,
    regions: dict[Region, list[Counts]],
    found: list[Difference],
    samples: Samples,
    userland: Userland,
) -> Counted:
    nothing = median(regions[NOTHING, 0])
    each = tuple(
        SampleCounts(
            calls=calls,
            inference=_without(nothing, median(regions[INFERENCE, number][-calls:])),
            features=(
                _without(nothing, median(regions[FEATURES, number][-calls:]))
                if samples.raw
                else None
            ),
        )
        for number, calls in enumerate(answer.calls)
    )
    features = [sample.features for sample in each if sample.features is not None]
    return Counted(
        inference=median([sample.inference for sample in each]),
        features=median(features) if features else None,
        samples=each,
        features_identical=not _any(found, "features ") if samples.raw else None,
        outputs_identical=not _any(found, "output "),
        differences=tuple(found),
        inputs=samples.source,
        runtime=answer.runtime,
        versions=userland.versions(),
        fixed_addresses=bool(userland.emulator.fixed_addresses),
    )


def median(counts: list[Counts]) -> Counts:
    """The median of each count, rounded."""
    rows: Array = np.array([_known(each) for each in counts], dtype=np.int64)
    return Counts(*(int(value) for value in np.median(rows, axis=0).round()))


def _without(nothing: Counts, counts: Counts) -> Counts:
    return Counts(*(a - b for a, b in zip(_known(counts), _known(nothing), strict=True)))


def _known(counts: Counts) -> tuple[int, ...]:
    values = (counts.instructions, counts.loads, counts.stores)
    return tuple(each for each in values if each is not None)


def _any(found: list[Difference], prefix: str) -> bool:
    return any(each.name.startswith(prefix) for each in found)
