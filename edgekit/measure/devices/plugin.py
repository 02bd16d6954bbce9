"""Build the QEMU plugin `count.c`, once for each version of its source and compiler."""

import hashlib
import os
from pathlib import Path

from edgekit.measure.devices.commands import Step, find_program

SOURCE = Path(__file__).with_name("count.c")
FLAGS = ("-std=c11", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")


def build_plugin(cache: Path, thing: str) -> Path:
    """The plugin as a shared object of this machine.

    Raises:
        DeviceError: there is no C compiler, or it fails.
    """
    compiler = find_program("cc", thing, "gcc")
    step = Step(thing, f"compile {SOURCE.name}", "report this with the version of the compiler")
    version = step.run([compiler, "--version"])
    about = b"\0".join([SOURCE.read_bytes(), version.encode(), " ".join(FLAGS).encode()])
    built = cache / f"count-{hashlib.sha256(about).hexdigest()[:16]}.so"
    if not built.exists():
        partial = built.with_suffix(f".{os.getpid()}.partial")
        step.run([compiler, *FLAGS, SOURCE, "-o", partial])
        partial.replace(built)
    return built
