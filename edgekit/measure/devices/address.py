"""What `--device` names, taken apart: `local`, `arm://CPU`, `ssh://[user@]host[:port]`, `adb://serial`."""

import re
from dataclasses import dataclass

from edgekit.errors import UsageError

SCHEMES = ("arm", "ssh", "adb")
WAY_OUT = "use local, arm://cortex-a76, ssh://[user@]host[:port] or adb://serial"

_SSH = re.compile(
    r"(?:(?P<user>[\w.][\w.-]*)@)?(?P<host>\[[\da-fA-F:.]+\]|\w[\w.-]*)(?::(?P<port>\d+))?"
)
_ADB = re.compile(r"[\w.][\w.:-]*")


@dataclass(frozen=True)
class SshAddress:
    """Where an OpenSSH client connects; what is None its configuration decides."""

    host: str
    user: str | None
    port: int | None


def split_url(url: str) -> tuple[str, str]:
    """Scheme and the rest; `local` has no rest.

    Raises:
        UsageError: it is neither `local` nor of a known scheme.
    """
    if url == "local":
        return "local", ""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in SCHEMES or not rest:
        raise UsageError(f"device {url!r}", "there is no such kind of device", WAY_OUT)
    return scheme, rest


def ssh_address(url: str) -> SshAddress:
    """The parts of an `ssh://` address.

    A host never starts with a dash, so that it cannot be taken for an option of the client.

    Raises:
        UsageError: it has a password or a path, or is malformed.
    """
    found = _SSH.fullmatch(split_url(url)[1].removesuffix("/"))
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port < 65536):
        problem = "it is not ssh://[user@]host[:port]"
        way_out = "name user, host and port only; keys belong in the ssh configuration"
        raise UsageError(f"device {_without_password(url)!r}", problem, way_out)
    return SshAddress(found["host"].strip("[]"), found["user"], port)


def adb_serial(url: str) -> str:
    """The serial of an `adb://` address, as `adb devices` lists it.

    Raises:
        UsageError: no serial looks like that.
    """
    serial = split_url(url)[1].removesuffix("/")
    if not _ADB.fullmatch(serial):
        raise UsageError(f"device {url!r}", "it has no serial", "take one that `adb devices` lists")
    return serial


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", url)
