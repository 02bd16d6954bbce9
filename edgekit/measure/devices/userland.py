"""An aarch64 Linux userland in the cache folder: Debian's Python, wheels, and edgekit for it.

Built by stages. Each ends in one rename, so that what was interrupted goes on where it stopped;
every archive is pinned by digest in a `lock.json`; one process builds at a time.
"""

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec

from edgekit.errors import DeviceError
from edgekit.measure.devices.commands import Step
from edgekit.measure.devices.describe import Description
from edgekit.measure.devices.emulator import Cpu, Emulator, find_emulator
from edgekit.measure.devices.extension import build_extension, copy_package
from edgekit.measure.devices.lock import one_at_a_time, pin, read_pins, write_atomically
from edgekit.measure.devices.packages import Packages
from edgekit.measure.devices.plugin import build_plugin
from edgekit.measure.devices.wheels import Platform, fetch_wheels, requirements, unpack_wheels
from edgekit.measure.process import SETTINGS

PACKAGES = ("python3", "libstdc++6", "libgomp1", "libc6", "dash", "coreutils")
ENVIRONMENT = {
    **SETTINGS,
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
}
"""Of an emulated process, and nothing else: the caller's variables would move its stack."""


@dataclass(frozen=True)
class Userland:
    """A userland that is ready to run programs.

    Attributes:
        cpu: what is emulated.
        emulator: by which QEMU.
        base: the unpacked packages.
        root: `base` seen with the CPU's /proc/cpuinfo.
        paths: for PYTHONPATH: the wheels, and edgekit.
        plugin: the compiled `count.c`.
        libc: version of the package libc6.
    """

    cpu: Cpu
    emulator: Emulator
    base: Path
    root: Path
    paths: tuple[Path, ...]
    plugin: Path
    libc: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the emulated Python."""
        return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(map(str, self.paths))}

    def python(self, *arguments: str, counts: int | None = None, memory: bool = True) -> list[str]:
        """The command for an emulated Python; with the plugin where `counts` is a descriptor.

        Args:
            arguments: of Python.
            counts: where the plugin writes.
            memory: whether it counts loads and stores too.
        """
        plugin = None if counts is None else f"{self.plugin},fd={counts}"
        if plugin is not None and not memory:
            plugin += ",memory=off"
        interpreter = str((self.base / "usr/bin/python3").resolve())
        return [
            *self.emulator.command(self.cpu, self.root, plugin), interpreter, "-S", "-P", *arguments
        ]  # fmt: skip

    @cached_property
    def description(self) -> Description:
        """What the emulated machine says of itself; asked once for each state of the userland."""
        return msgspec.json.decode((self._described).read_bytes(), type=Description)

    @property
    def _described(self) -> Path:
        about = f"{self.cpu.name} {self.emulator.version} {self.base} {self.paths}"
        digest = sha256(about.encode()).hexdigest()[:16]
        return self.root.parent.parent / f"description-{digest}.json"

    def check(self, thing: str) -> None:
        """Import everything once: shows that it works, and leaves the compiled Python files.

        Raises:
            DeviceError: the emulated Python cannot import what it needs.
        """
        if self._described.exists():
            return
        way_out = f"remove {self.base.parent} to build it anew"
        step = Step(thing, "start the emulated Python", way_out, timeout_s=120.0)
        said = step.run(
            self.python("-m", "edgekit.measure.devices.describe"),
            env=self.environment,
            cwd=self.base,
        )
        write_atomically(self._described, said.encode())

    def versions(self) -> dict[str, str]:
        """What a count belongs to."""
        environment = self.description.environment
        return {
            **environment.versions,
            "python": environment.python,
            "libc6": self.libc,
            "qemu": self.emulator.version,
        }


def prepare(cpu: Cpu, cache: Path) -> Userland:
    """Build what is missing of the userland for a CPU, or find it as it was built.

    Raises:
        DeviceError: a program or the network is missing, or an archive is not what was pinned.
    """
    thing = f"device 'arm://{cpu.name}'"
    emulator = find_emulator(thing)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(cache / "building", thing):
            userland = _build(cpu, emulator, cache.resolve(), thing)
            userland.check(thing)
    except OSError as error:
        problem = f"{error.filename or cache}: {error.strerror}"
        raise DeviceError(thing, problem, "free some space or set EDGEKIT_CACHE") from error
    return userland


def aarch64_headers(cache: Path, thing: str) -> Path | None:
    """`usr/include` of the userland's Python; None where there is no apt to fetch it with.

    Args:
        cache: as for `prepare`.
        thing: the device that errors name.

    Raises:
        DeviceError: as `prepare`.
    """
    if shutil.which("apt-get") is None:
        return None
    cache.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(cache / "building", thing):
        return _unpack_packages(cache.resolve(), thing) / "usr/include"


def _build(cpu: Cpu, emulator: Emulator, cache: Path, thing: str) -> Userland:
    base = _unpack_packages(cache, thing)
    wheels = _unpack_wheels(cache, base, thing)
    library = build_extension(cache, base / "usr/include", thing)
    package = copy_package(cache, library)
    return Userland(
        cpu=cpu,
        emulator=emulator,
        base=base,
        root=_root_for(cpu, base, cache / "cpus"),
        paths=(wheels, package),
        plugin=build_plugin(cache, thing),
        libc=_libc(cache / "packages"),
    )


def _unpack_packages(cache: Path, thing: str) -> Path:
    """The packages' files, fetched and pinned."""
    base = cache / "base"
    packages = Packages(cache / "packages", "arm64", thing)
    if read_pins(packages.archives) is None:
        packages.fetch(PACKAGES)
        minimal = next(packages.archives.glob("python3.*-minimal_*.deb")).name
        packages.fetch_alone(f"lib{minimal.split('-')[0]}-dev")
    pin(packages.archives, "*.deb", thing)
    if not base.exists():
        partial = _fresh(base)
        for archive in sorted(packages.archives.glob("*.deb")):
            packages.unpack(archive, partial)
        partial.replace(base)
    return base


def _unpack_wheels(cache: Path, base: Path, thing: str) -> Path:
    platform = Platform("aarch64", _python_version(base), _glibc_version(cache / "packages"))
    digest = sha256(" ".join([platform.name, *requirements()]).encode()).hexdigest()[:16]
    wheels = fetch_wheels(cache / f"wheels-{digest}", platform, thing)
    site = cache / f"site-{digest}"
    if not site.exists():
        partial = _fresh(site)
        unpack_wheels(wheels, partial)
        partial.replace(site)
    return site


def _root_for(cpu: Cpu, base: Path, folder: Path) -> Path:
    """Links to everything in `base`, beside a /proc/cpuinfo of the CPU."""
    root = folder / cpu.name
    if not root.exists():
        partial = _fresh(root)
        for entry in base.iterdir():
            if entry.name != "proc":
                (partial / entry.name).symlink_to(entry)
        (partial / "proc").mkdir()
        (partial / "proc" / "cpuinfo").write_text(cpu.cpuinfo())
        partial.replace(root)
    return root


def _fresh(folder: Path) -> Path:
    """An empty folder to fill and then rename to `folder`; what was interrupted is removed."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _python_version(base: Path) -> tuple[int, int]:
    name = (base / "usr/bin/python3").resolve().name
    major, minor = name.removeprefix("python").split(".")
    return int(major), int(minor)


def _libc(packages: Path) -> str:
    """The version in the name of the archive: libc6_2.36-9+deb12u14_arm64.deb."""
    return next((packages / "archives").glob("libc6_*.deb")).name.split("_")[1]


def _glibc_version(packages: Path) -> tuple[int, int]:
    major, minor = _libc(packages).split("-")[0].split(".")[:2]
    return int(major), int(minor)
