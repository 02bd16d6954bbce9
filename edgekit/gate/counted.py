"""Count the instructions of the candidate and its baselines on an emulated Arm CPU."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from edgekit.gate.wanted import Wanted
from edgekit.measure.devices.arm import ArmDevice
from edgekit.measure.devices.measurement import Counted, Counts
from edgekit.measure.samples import Samples

AT_ONCE = 2
"""Emulated processes at a time: other programs do not change a count."""

FLOOR = 0.001
"""Five counts of the same model, under load, lay within this share of each other."""


class SideCounts(Struct, frozen=True, omit_defaults=True):
    """One model on an emulated CPU.

    Attributes:
        instructions: of the inference, and of the features where raw inputs were given.
        inference: instructions, loads and stores of the model.
        features: likewise of the features.
        outputs_identical: whether every output had the bits of this machine's.
        features_identical: likewise of the features.
    """

    instructions: int
    inference: Counts
    outputs_identical: bool
    features: Counts | None = None
    features_identical: bool | None = None


class InstructionFigures(Struct, frozen=True):
    """Counts on one emulated CPU. Instructions are not time.

    Attributes:
        device: its address.
        inputs: what the models were fed.
        candidate: its counts.
        baselines: theirs.
        floor: share by which two counts of the same model differed, or `FLOOR` if less.
        versions: what the counts belong to.
    """

    device: str
    inputs: str
    candidate: SideCounts
    baselines: tuple[SideCounts, ...]
    floor: float
    versions: dict[str, str]


def count_sides(wanted: Wanted, samples: Samples, url: str) -> InstructionFigures:
    """Count every side once, and the first one twice.

    Raises:
        CrashError: a model ended or hung the emulated process.
        DeviceError: the emulated machine cannot be built.
        EdgekitError: a model cannot be run there.
    """
    device = ArmDevice(url.partition("://")[2])
    device.describe()
    files = [*wanted.baselines, wanted.candidate]
    candidate_at = len(files) - 1
    counted = _count_all(device, [*files, files[0]], samples)
    sides = [_side(each) for each in counted]
    first, again = sides[0].instructions, sides[-1].instructions
    return InstructionFigures(
        device=url,
        inputs=counted[0].inputs,
        candidate=sides[candidate_at],
        baselines=tuple(sides[:candidate_at]),
        floor=max(FLOOR, abs(again / first - 1.0)),
        versions=counted[0].versions,
    )


def _count_all(device: ArmDevice, files: Sequence[Path], samples: Samples) -> list[Counted]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return list(pool.map(lambda path: device.count(path, samples), files))
        except BaseException:
            device.close()  # Ctrl-C reaches this thread alone: the others would count to their end
            raise


def _side(counted: Counted) -> SideCounts:
    features = counted.features.instructions if counted.features is not None else 0
    return SideCounts(
        instructions=counted.inference.instructions + features,
        inference=counted.inference,
        outputs_identical=counted.outputs_identical,
        features=counted.features,
        features_identical=counted.features_identical,
    )
