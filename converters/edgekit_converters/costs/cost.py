"""What a candidate costs on its target, against a baseline: the seam of the search.

A real device gives latency: this machine where it is the target, or a board. Where there is none,
an emulated Arm CPU gives instruction counts. A target that can be neither run nor emulated gets the
sum of a table of operations, measured once on this machine. Only the first is called latency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from msgspec.structs import replace

from edgekit.engines import Array
from edgekit.errors import DeviceError, TargetError
from edgekit.measure.environment import Environment, local_environment
from edgekit_converters.targets import HOST, Target, host

Kind: TypeAlias = Literal["latency", "instructions", "operations"]
Feeds: TypeAlias = Sequence[Mapping[str, Array]]


@dataclass(frozen=True)
class Cost:
    """Candidate over baseline; below 1 the candidate is cheaper.

    Attributes:
        kind: what was measured; only a real device's figure is latency.
        ratio: the point estimate.
        low: lower end of the 95 % interval.
        high: upper end of it.
        baseline: of one inference, in `unit`.
        candidate: likewise.
        unit: such as `ms`.
        samples: how often each side was run.
        environment: where it was measured.
    """

    kind: Kind
    ratio: float
    low: float
    high: float
    baseline: float
    candidate: float
    unit: str
    samples: int
    environment: Environment

    @property
    def is_cheaper(self) -> bool:
        """Whether the whole interval lies below 1."""
        return self.high < 1.0

    @property
    def is_dearer(self) -> bool:
        """Whether the whole interval lies above 1."""
        return self.low > 1.0


class Meter(Protocol):
    """Compares the cost of two model files on the target.

    Attributes:
        kind: what it measures.
        about: where and how, a sentence for reports.
        is_slow: whether a look costs more than scoring does: then scores come first.
    """

    @property
    def kind(self) -> Kind: ...  # noqa: D102 - see above

    @property
    def about(self) -> str: ...  # noqa: D102 - see above

    @property
    def is_slow(self) -> bool: ...  # noqa: D102 - see above

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """A first look: quick, with a wide interval."""
        ...

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Enough for a decision."""
        ...


@dataclass(frozen=True)
class Place:
    """Where cost is measured.

    Attributes:
        kind: what can be measured there.
        device: its address; `local` is this machine.
        why: why there and not on a device of the target; empty where it is one.
    """

    kind: Kind
    device: str
    why: str = ""


def place_for(target: Target, device: str | None = None) -> Place:
    """Where the cost for a target is measured: a device of it, its emulation, or a table.

    Args:
        target: what to make models for.
        device: an address that the user gave; None to choose.

    Raises:
        UsageError: there is no such device.
        TargetError: `device` is this machine and not the target.
        DeviceError: the emulator that the address names is not there.
    """
    if device is not None and device != "local":
        from edgekit.measure.devices import open_device

        open_device(device)
        return Place("instructions" if device.startswith("arm://") else "latency", device)
    obstacle = why_not_here(target)
    if obstacle is None:
        return Place("latency", "local")
    if device == "local":
        way_out = "name a board with --device ssh://…, or leave --device out"
        raise TargetError(f"target {target.name!r}", obstacle, way_out)
    if target.emulator_cpu is None:
        return Place("operations", "local", f"{obstacle}, and it is not emulated")
    url = f"arm://{target.emulator_cpu}"
    try:
        open_emulator(url)
    except DeviceError as error:
        why = f"{obstacle}, and its emulation is not ready ({error.problem}; {error.way_out})"
        return Place("operations", "local", why)
    return Place("instructions", url, obstacle)


def open_emulator(url: str) -> None:
    """Build what an emulated CPU needs, the first time.

    Raises:
        DeviceError: a program or the network is missing.
    """
    from edgekit.measure.devices import open_device

    open_device(url).describe()


def why_not_here(target: Target) -> str | None:
    """Why this machine's latency says nothing about a target; None where it is one."""
    here = host()
    if target.name == HOST or (target.arch, target.cpu_features) == (here.arch, here.cpu_features):
        return None
    if target.arch != here.arch:
        return f"it is {target.arch}, this machine is {here.arch}"
    other = ", ".join(sorted(target.cpu_features ^ here.cpu_features))
    return f"this machine differs from it in {other}"


def meter_for(target: Target, place: Place, feeds: Feeds, seed: int) -> Meter:
    """How cost is measured at a place.

    Raises:
        TargetError: the device there is not the target.
        DeviceError: it cannot be reached or set up.
    """
    from edgekit_converters.costs import meters

    if place.kind == "operations":
        here = replace(local_environment(), load_1m=None, temperature_c=None)  # a sum has none
        return meters.OperationTable(target, place, feeds, here)
    if place.device == "local":
        return meters.LocalLatency(feeds, seed)
    if place.kind == "instructions":
        return meters.EmulatedInstructions(place, feeds)
    return meters.board_latency(target, place, feeds, seed)
