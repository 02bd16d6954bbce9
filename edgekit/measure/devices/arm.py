"""`arm://CPU`: an emulated Arm CPU. It counts instructions and has exact numerics, but no clock."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from edgekit.measure.devices.commands import end_session
from edgekit.measure.devices.counting import SIX_CALLS, Counting, Running, count
from edgekit.measure.devices.emulator import find_cpu
from edgekit.measure.devices.measurement import Counted, Measurement
from edgekit.measure.devices.userland import Userland, prepare
from edgekit.measure.environment import Environment
from edgekit.measure.samples import Samples
from edgekit.selftest import cache_folder

NOTE = "instructions on an emulated CPU: never a latency"


class ArmDevice:
    """An emulated CPU; see `edgekit.measure.devices.Device`.

    Args:
        cpu: `"cortex-a53"`, `"cortex-a72"`, `"cortex-a76"` or `"neoverse-n1"`.
        cache: the folder whose `arm` holds the userland; edgekit's cache folder by default.

    Raises:
        UsageError: no such CPU is emulated.
    """

    def __init__(self, cpu: str, cache: Path | None = None) -> None:
        self._cpu = find_cpu(cpu)
        self._cache = cache or cache_folder()
        self._running: Running = set()
        self.url = f"arm://{cpu}"

    @cached_property
    def userland(self) -> Userland:
        """The userland, built the first time that it is needed.

        Raises:
            DeviceError: a program or the network is missing, or an archive is not the pinned one.
        """
        return prepare(self._cpu, self._cache / "arm")

    def describe(self) -> dict[str, Any]:
        """The emulated machine, its kernels and the versions that counts belong to."""
        userland = self.userland
        described: dict[str, Any] = msgspec.to_builtins(self.environment())
        isas = list(userland.description.isas)
        return described | {"emulated": True, "isas": isas, "versions": userland.versions()}

    def environment(self) -> Environment:
        """The emulated machine. Load and temperature are the host's and say nothing: left out."""
        return msgspec.structs.replace(
            self.userland.description.environment,
            device=self.url,
            cpu=self._cpu.name,
            versions=self.userland.versions(),
            load_1m=None,
            temperature_c=None,
            governor=None,
            turbo=None,
        )

    def count(self, path: Path, samples: Samples, counting: Counting = SIX_CALLS) -> Counted:
        """Instructions, loads and stores of features and of one inference.

        Args:
            path: a .onnx, .tflite or .edgekit file.
            samples: what it is fed; with `raw`, features are counted too.
            counting: how much to count.

        Raises:
            CrashError: the model ended or hung the emulated process.
            DeviceError: the userland cannot be built.
            EdgekitError: the model cannot be run.
        """
        if samples.raw and not self.userland.description.isas:
            samples = featureless(path, samples)
        return count(path, samples, self.userland, counting, self._running)

    def measure(self, path: Path, samples: Samples, counting: Counting = SIX_CALLS) -> Measurement:
        """As `count`, with the machine and the file's size.

        Raises:
            EdgekitError: as `count`.
        """
        counted = self.count(path, samples, counting)
        return Measurement(
            device=self.url,
            size_bytes=path.stat().st_size,
            environment=self.environment(),
            inputs=counted.inputs,
            counted=counted,
            notes=(NOTE,),
        )

    def close(self) -> None:
        """End what other threads still count; nothing else is left open."""
        for process in tuple(self._running):
            end_session(process)


def featureless(path: Path, samples: Samples) -> Samples:
    """The feeds that the host's features make, for a userland without compiled kernels."""
    from edgekit.model import load

    with load(path, verify="digest") as model:
        values = tuple(model.features(value) for value in samples.values)
    return replace(
        samples, values=values, raw=False, source=f"{samples.source}, features made on the host"
    )
