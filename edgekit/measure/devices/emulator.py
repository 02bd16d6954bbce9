"""QEMU, a Linux process of another CPU: which CPUs, and the command for a program on one."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.devices.commands import Step, find_program

VERSION = "7.2"
"""The one QEMU whose Debian build takes plugins; `count.c` is written against it."""

_ARMV8 = "fp asimd aes pmull sha1 sha2 crc32 cpuid"
_ARMV8_2 = f"{_ARMV8} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"


@dataclass(frozen=True)
class Cpu:
    """An Arm CPU as its kernel would describe it.

    Attributes:
        name: as QEMU calls it.
        part: the CPU part of its MIDR register.
        features: words of the kernel's HWCAP that QEMU 7.2 reports for it.
    """

    name: str
    part: str
    features: str

    def cpuinfo(self) -> str:
        """The content of /proc/cpuinfo; onnxruntime crashes at import when it reads an x86 one."""
        fields = {
            "processor": "0",
            "BogoMIPS": "50.00",
            "Features": self.features,
            "CPU implementer": "0x41",
            "CPU architecture": "8",
            "CPU variant": "0x1",
            "CPU part": self.part,
            "CPU revision": "0",
        }
        return "".join(f"{key}\t: {value}\n" for key, value in fields.items()) + "\n"


CPUS = {
    cpu.name: cpu
    for cpu in (
        Cpu("cortex-a53", "0xd03", _ARMV8),
        Cpu("cortex-a72", "0xd08", _ARMV8),
        Cpu("cortex-a76", "0xd0b", _ARMV8_2),
        Cpu("neoverse-n1", "0xd0c", _ARMV8_2),
    )
}


def find_cpu(name: str) -> Cpu:
    """The CPU of that name.

    Raises:
        UsageError: it is not one that is emulated.
    """
    if name not in CPUS:
        way_out = f"use one of {', '.join(f'arm://{each}' for each in CPUS)}"
        raise UsageError(f"device 'arm://{name}'", "no such CPU is emulated", way_out)
    return CPUS[name]


@dataclass(frozen=True)
class Emulator:
    """A QEMU that takes plugins.

    Attributes:
        program: its path.
        version: as it says, with the package's: figures belong to it.
        fixed_addresses: prefix that switches address randomization off; empty where a container
            forbids that, and counts then stray a little more.
    """

    program: str
    version: str
    fixed_addresses: tuple[str, ...]

    def command(self, cpu: Cpu, root: Path, plugin: str | None = None) -> list[str]:
        """Runs an aarch64 program, given behind it, with the files of `root` before the host's."""
        command = [*self.fixed_addresses, self.program, "-cpu", cpu.name, "-L", str(root)]
        command += ["-seed", "1"]
        return command if plugin is None else [*command, "-plugin", plugin]


def find_emulator(thing: str) -> Emulator:
    """The QEMU of this machine.

    Raises:
        DeviceError: it is missing or is a version that takes no plugins.
    """
    program = find_program("qemu-aarch64", thing, "qemu-user (Debian 12 has 7.2)")
    step = Step(thing, f"ask {program} for its version", "install qemu-user of Debian 12")
    words = step.run([program, "--version"]).splitlines()[0].split("version ", 1)[-1]
    if not words.startswith(f"{VERSION}.") or "-plugin" not in step.run([program, "-help"]):
        problem = f"{program} is version {words}; only Debian's {VERSION} takes plugins"
        raise DeviceError(thing, problem, "use Debian 12: apt-get install qemu-user")
    return Emulator(program, words, _fixed_addresses())


def _fixed_addresses() -> tuple[str, ...]:
    prefix = ("setarch", "-R")
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ()
    return prefix
