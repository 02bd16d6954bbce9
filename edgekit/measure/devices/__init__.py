"""Where a measurement is taken: an emulated Arm CPU, or a board over ssh or adb.

    arm://cortex-a76            instructions, exact numerics, no clock: `ArmDevice`
    ssh://[user@]host[:port]    latency, memory and load time on a board
    adb://serial                the same through Android's bridge

`open_device(address)` gives one; `measure` tells what that device can tell.
"""

from pathlib import Path
from typing import Any, Protocol

from edgekit.errors import UsageError
from edgekit.measure.devices.address import WAY_OUT, split_url
from edgekit.measure.devices.measurement import Measurement
from edgekit.measure.samples import Samples

__all__ = ["Device", "Measurement", "open_device"]


class Device(Protocol):
    """A machine that models are measured on. Close it when done."""

    url: str

    def describe(self) -> dict[str, Any]:
        """The machine, its CPU features and its versions, ready for JSON.

        Raises:
            DeviceError: it cannot be reached or set up.
        """
        ...

    def measure(self, path: Path, samples: Samples) -> Measurement:
        """One model file or bundle.

        Args:
            path: a .onnx, .tflite or .edgekit file on this machine.
            samples: what it is fed.

        Raises:
            CrashError: the model ended or hung the process that ran it.
            DeviceError: the device cannot be reached, set up, or disappeared.
            EdgekitError: the model cannot be run there.
        """
        ...

    def close(self) -> None:
        """Leave nothing behind, on either side, but what is cached by digest."""
        ...


def open_device(url: str) -> Device:
    """The device of an address; nothing is connected or built before it is used.

    Raises:
        UsageError: there is no such device, or the address is malformed.
    """
    scheme, rest = split_url(url)
    if scheme == "arm":
        from edgekit.measure.devices.arm import ArmDevice

        return ArmDevice(rest)
    if scheme in ("ssh", "adb"):
        from edgekit.measure.devices.adb import Adb
        from edgekit.measure.devices.remote import BoardDevice
        from edgekit.measure.devices.ssh import Ssh

        return BoardDevice(url, Ssh(url) if scheme == "ssh" else Adb(url))
    raise UsageError(f"device {url!r}", "it is this machine", WAY_OUT)
