"""How a command reaches a board: one seam, two ways (ssh.py, adb.py)."""

from dataclasses import dataclass
from typing import Protocol

from edgekit.errors import DeviceError


class Transport(Protocol):
    """A program that runs a shell script on a board, with stdin, stdout and stderr connected."""

    thing: str
    """What errors call the device."""

    def command(self, script: str) -> list[str]:
        """The local command that runs a POSIX shell script there.

        Raises:
            DeviceError: the program that connects is not installed.
        """
        ...

    def failure(self, code: int, words: str) -> "Failure | None":
        """Whether it was the connection that failed, and not the script.

        Args:
            code: exit code of the local command.
            words: the last line of its stderr.
        """
        ...


@dataclass(frozen=True)
class Failure:
    """A connection that failed.

    Attributes:
        problem: what the program said.
        way_out: what to do.
        lasting: whether trying again cannot help.
    """

    problem: str
    way_out: str
    lasting: bool


class LinkLostError(DeviceError):
    """The connection broke; trying again may help."""


def link_error(thing: str, failure: Failure) -> DeviceError:
    """The error of a failure: one that may be tried again, or not."""
    kind = DeviceError if failure.lasting else LinkLostError
    return kind(thing, failure.problem, failure.way_out)
