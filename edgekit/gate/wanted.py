"""What to gate, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import UsageError
from edgekit.measure.devices.address import split_url

LOCAL = "local"
EVALUATION = "evaluation"


@dataclass(frozen=True)
class DataSet:
    """A split of a file with data, as `FILE.py` or `FILE.py:SPLIT`."""

    path: Path
    split: str = EVALUATION


def data_set(text: str) -> DataSet:
    """What `--data` names.

    Raises:
        UsageError: it names no Python file.
    """
    file, _, split = text.rpartition(".py:")
    if file and split:
        return DataSet(Path(f"{file}.py"), split)
    if text.endswith(".py"):
        return DataSet(Path(text))
    raise UsageError(f"data {text!r}", "it is no FILE.py and no FILE.py:SPLIT", "name a task file")


@dataclass(frozen=True)
class Wanted:
    """What to gate.

    Attributes:
        candidate: the file that wants to be released.
        baselines: the files that it must not be worse than, such as the previous commit's and
            the last release's.
        task: a task file, for accuracy.
        data: data to check and to compare with calibration; the task's own if None.
        devices: where: at most one that has a clock, and any number of emulated CPUs.
        threads: threads that one inference may use.
        seed: of everything that is drawn.
        max_s: seconds after which timing stops.
        timeout_s: seconds that a model may take to load and warm up, or to run one block.
    """

    candidate: Path
    baselines: tuple[Path, ...] = ()
    task: Path | None = None
    data: DataSet | None = None
    devices: tuple[str, ...] = (LOCAL,)
    threads: int = 1
    seed: int = 0
    max_s: float = 60.0
    timeout_s: float = 300.0


@dataclass(frozen=True)
class Places:
    """Devices by what they give: `timed` has a clock, `counted` count instructions."""

    timed: str | None
    counted: tuple[str, ...]


def places(devices: Sequence[str]) -> Places:
    """Sort the addresses of devices.

    Raises:
        UsageError: one is malformed, named twice, or there are two clocks.
    """
    counted = tuple(url for url in devices if split_url(url)[0] == "arm")
    timed = [url for url in devices if url not in counted]
    if len(timed) > 1:
        problem = f"times of {' and '.join(timed)} cannot be compared"
        raise UsageError("the devices", problem, "gate once for each device with a clock")
    if len(set(counted)) < len(counted):
        raise UsageError("the devices", "one is named twice", "name each device once")
    return Places(timed[0] if timed else None, counted)
