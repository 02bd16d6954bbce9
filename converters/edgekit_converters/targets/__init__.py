"""Named hardware: one TOML file each beside this one; `host` is this machine, detected."""

import tomllib
from importlib import resources

import msgspec
from msgspec import Struct

from edgekit.errors import TargetError
from edgekit.measure.environment import local_environment

__all__ = ["HOST", "Target", "host", "load_target", "target_names"]

HOST = "host"
VNNI = frozenset({"avx512_vnni", "avx_vnni"})
DOT = frozenset({"asimddp", "i8mm"})


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """What a model is made for.

    Attributes:
        name: `host`, or the TOML file's name.
        description: which devices have this CPU.
        arch: as `uname -m` says: `aarch64`, `x86_64`.
        cpu_features: those that matter to inference, in the Linux kernel's words.
        emulator_cpu: what qemu calls it, None where qemu has no model of it.
    """

    name: str
    description: str
    arch: str
    cpu_features: frozenset[str]
    emulator_cpu: str | None = None

    @property
    def is_arm(self) -> bool:
        """Whether it is a 64-bit Arm."""
        return self.arch in ("aarch64", "arm64")

    @property
    def has_dot(self) -> bool:
        """Whether four products of 8 bits are added by one instruction: Arm's sdot, x86's VNNI."""
        return bool(self.cpu_features & (DOT | VNNI))

    @property
    def has_half(self) -> bool:
        """Whether it computes in fp16."""
        return "asimdhp" in self.cpu_features

    @property
    def width(self) -> int:
        """Channels that onnxruntime computes at once: narrower layers run no faster in between."""
        return 16 if "avx512f" in self.cpu_features else 8

    @property
    def saturates(self) -> bool:
        """Whether two u8·s8 products overflow their 16-bit sum: x86 before VNNI (vpmaddubsw)."""
        return self.arch == "x86_64" and not self.cpu_features & VNNI


def target_names() -> tuple[str, ...]:
    """Every name that `load_target` knows."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return (HOST, *sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def load_target(name: str) -> Target:
    """The target of a name.

    Raises:
        TargetError: no target has it.
    """
    if name == HOST:
        return host()
    if name not in target_names():
        known = ", ".join(target_names())
        raise TargetError(f"target {name!r}", "there is no such target", f"known are {known}")
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text("utf8")
    return msgspec.convert({"name": name, **tomllib.loads(text)}, Target)


def host() -> Target:
    """This machine."""
    here = local_environment()
    about = here.cpu or "this machine"
    return Target(HOST, about, here.arch, frozenset(here.cpu_features))
