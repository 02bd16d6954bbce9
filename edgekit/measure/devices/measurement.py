"""What a device gives: frozen data. What it cannot give is None or absent, never 0."""

from msgspec import Struct

from edgekit.measure.environment import Environment
from edgekit.measure.recording import SideFigures


class Counts(Struct, frozen=True, omit_defaults=True):
    """Of one region on an emulated CPU. Instructions, not time.

    Attributes:
        instructions: that its thread executed.
        loads: accesses of memory that read; a pair (`ldp`) is two. None where not counted.
        stores: accesses that write; likewise.
    """

    instructions: int
    loads: int | None = None
    stores: int | None = None


class SampleCounts(Struct, frozen=True, omit_defaults=True):
    """Medians over the calls with one sample.

    Attributes:
        calls: marked calls.
        inference: the model with its feeds checked, as `Model.infer` runs it.
        features: raw input to feeds; None where the sample was a feed.
    """

    calls: int
    inference: Counts
    features: Counts | None = None


class Difference(Struct, frozen=True):
    """One array of the device against the host's, bit for bit.

    Attributes:
        name: `"features x"` or `"output scores"`.
        sample: index of the sample.
        different: values that differ; all of them where shape or dtype differ.
        values: how many there are.
        largest: largest absolute difference; infinity where one is not a number.
    """

    name: str
    sample: int
    different: int
    values: int
    largest: float


class Counted(Struct, frozen=True, omit_defaults=True):
    """Instruction counts of one model on an emulated CPU.

    Attributes:
        inference: median over samples of one inference.
        features: likewise of the features; None where feeds were given.
        samples: for each sample.
        features_identical: whether every feature had the host's bits; None without features.
        outputs_identical: whether every output had the host's bits.
        differences: the arrays that did not.
        inputs: what the model was fed.
        runtime: name and version of what ran the model.
        versions: what the counts belong to: qemu, libc6, python, numpy, runtime, edgekit.
        fixed_addresses: whether address randomization was off, as it should be.
    """

    inference: Counts
    samples: tuple[SampleCounts, ...]
    outputs_identical: bool
    inputs: str
    runtime: str
    versions: dict[str, str]
    fixed_addresses: bool
    features: Counts | None = None
    features_identical: bool | None = None
    differences: tuple[Difference, ...] = ()


class Measurement(Struct, frozen=True, omit_defaults=True):
    """One model on one device; what a device cannot give is absent.

    Attributes:
        device: its address.
        size_bytes: of the file that was measured.
        environment: the machine and its versions.
        inputs: what the model was fed.
        timed: latency, load time and memory, from a device that has a clock worth reading.
        counted: instruction counts, from an emulated one.
        notes: what a reader must know, such as that a board was emulated.
    """

    device: str
    size_bytes: int
    environment: Environment
    inputs: str
    timed: SideFigures | None = None
    counted: Counted | None = None
    notes: tuple[str, ...] = ()
