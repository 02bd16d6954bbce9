"""What a device says of itself, as one JSON line: `python -m edgekit.measure.devices.describe`."""

import importlib
import sys

import msgspec
from msgspec import Struct

from edgekit.measure.environment import Environment, local_environment


class Description(Struct, frozen=True):
    """A device's record.

    Attributes:
        environment: the machine and its versions.
        isas: instruction sets that edgekit's kernels have there; empty where they are missing.
    """

    environment: Environment
    isas: tuple[str, ...]


def describe() -> Description:
    """The record of this machine; imports what a measurement will need, so that it fails here."""
    importlib.import_module("numpy")
    importlib.import_module("onnxruntime")
    return Description(local_environment(), _isas())


def _isas() -> tuple[str, ...]:
    try:
        from edgekit.kernels import available_isas
    except ImportError:
        return ()
    return available_isas()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(describe()) + b"\n")
