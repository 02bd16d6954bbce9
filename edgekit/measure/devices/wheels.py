"""Wheels of the device package's dependencies for another machine, at the versions of this one."""

import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edgekit.errors import DeviceError
from edgekit.measure.devices.commands import Step
from edgekit.measure.devices.lock import pin, read_pins

NAMES = ("numpy", "onnxruntime", "cffi", "msgspec")
"""What edgekit imports on a device. Their own dependencies are not needed to run a model."""

OLDEST_GLIBC = 17


@dataclass(frozen=True)
class Platform:
    """What wheels must fit.

    Attributes:
        arch: as `uname -m` says: `"aarch64"`, `"x86_64"`.
        python: major and minor version.
        glibc: major and minor version.
    """

    arch: str
    python: tuple[int, int]
    glibc: tuple[int, int]

    @property
    def name(self) -> str:
        """`aarch64-python3.11-glibc2.36`."""
        python, glibc = (".".join(map(str, each)) for each in (self.python, self.glibc))
        return f"{self.arch}-python{python}-glibc{glibc}"

    def options(self) -> list[str]:
        """For pip: every manylinux tag that this platform runs."""
        tags = [f"manylinux_2_{n}_{self.arch}" for n in range(self.glibc[1], OLDEST_GLIBC - 1, -1)]
        tags.append(f"manylinux2014_{self.arch}")
        python = f"{self.python[0]}{self.python[1]}"
        return ["--python-version", python, "--implementation", "cp"] + [
            option for tag in tags for option in ("--platform", tag)
        ]


def requirements() -> list[str]:
    """The dependencies at the versions that are installed here: `numpy==2.4.6`."""
    return [f"{name}=={metadata.version(name)}" for name in NAMES]


def fetch_wheels(folder: Path, platform: Platform, thing: str) -> list[Path]:
    """The wheels in `folder`, downloaded where they are not there yet, their digests checked.

    Raises:
        DeviceError: pip cannot fetch them, or a wheel is not the one that was pinned.
    """
    if read_pins(folder) is None:
        folder.mkdir(parents=True, exist_ok=True)
        versions = ", ".join(requirements())
        way_out = "check the network; a board with another Python may have no such wheels"
        step = Step(thing, f"fetch wheels of {versions} for {platform.name}", way_out)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        only = ["--no-deps", "--only-binary=:all:", "--dest", str(folder)]
        step.run([*pip, *only, *platform.options(), *requirements()])
    pin(folder, "*.whl", thing)
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != len(NAMES):
        problem = f"{folder} holds {len(wheels)} wheels, not {len(NAMES)}"
        raise DeviceError(thing, problem, f"remove {folder} and run it again")
    return wheels


def unpack_wheels(wheels: list[Path], site: Path) -> None:
    """Unpack wheels into a folder for PYTHONPATH."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
