"""A board's cache: what it has, what is sent to it, and edgekit installed in it."""

import hashlib
import shlex
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from edgekit.errors import DeviceError
from edgekit.measure.devices.describe import Description
from edgekit.measure.devices.link import (
    AGENT,
    FIND_PYTHON,
    NO_PYTHON,
    PYTHONS,
    TERMUX,
    Link,
    decoded,
)
from edgekit.measure.devices.lock import sha256_of
from edgekit.measure.devices.runner import Archive, Runner, build_runner
from edgekit.measure.devices.transport import LinkLostError
from edgekit.measure.external import external_paths

WHOLE = -1
PART_BYTES = 1 << 18
SLOWEST_BYTES_PER_S = 50_000


class Probed(Struct, frozen=True):
    """What a board says before anything is installed.

    Attributes:
        arch: as `uname -m` says.
        python: major and minor version.
        libc: `"glibc 2.36"`; empty where it is another.
        root: the folder for edgekit's cache.
        program: the Python.
    """

    arch: str
    python: tuple[int, int]
    libc: str
    root: str
    program: str


class Board:
    """A board that is reached and, when needed, prepared.

    Args:
        link: its connection.
        cache: edgekit's cache folder on this machine.
    """

    def __init__(self, link: Link, cache: Path) -> None:
        self.link = link
        self._cache = cache

    @cached_property
    def probed(self) -> Probed:
        """What it is.

        Raises:
            DeviceError: it cannot be reached, or has no Python.
        """
        script = FIND_PYTHON.format(
            candidates=" ".join((*PYTHONS, TERMUX)),
            agent=shlex.quote(AGENT.read_text(encoding="utf-8")),
            code=NO_PYTHON,
        )
        answer = self.link.retried(lambda: self.link.once(script))
        return decoded(answer, Probed, self.link.thing)

    def agent(self, operation: str, *arguments: str) -> str:
        """The script for one of the agent's operations."""
        agent = AGENT.read_text(encoding="utf-8")
        return "exec " + shlex.join([self.probed.program, "-I", "-c", agent, operation, *arguments])

    def have(self, *names: str) -> dict[str, int]:
        """Bytes of each entry of its cache; `WHOLE` for what is there."""
        script = self.agent("have", self.probed.root, *names)
        answer = self.link.once(script)
        return decoded(answer, dict[str, int], self.link.thing)

    def push(self, path: Path, name: str, digest: str) -> None:
        """Send a file to the cache; what arrived before a connection dropped is not sent again.

        Raises:
            DeviceError: the connection broke too often without any progress, or the disk is full.
        """
        arrived, failures = -1, 0
        while True:
            try:
                there = self.have(name)[name]
                if there == WHOLE:
                    return
                arrived, failures = max(arrived, there), 0 if there > arrived else failures
                self._send(path, name, digest, there)
            except LinkLostError as error:
                failures += 1
                if failures >= self.link.attempts:
                    raise self.link.given_up(error) from error
                self.link.wait(failures)

    def _send(self, path: Path, name: str, digest: str, offset: int) -> None:
        size = path.stat().st_size
        offset = offset if offset <= size else 0
        arguments = (self.probed.root, name, str(size), str(offset), digest)
        script = self.agent("receive", *arguments)
        timeout_s = 120.0 + (size - offset) / SLOWEST_BYTES_PER_S
        self.link.once(script, _parts(path, offset), timeout_s)

    def put(self, path: Path) -> Path:
        """A model file or bundle on the board, under its own name in a folder of its digest.

        External data lies beside it, as it does here.

        Raises:
            DeviceError: as `push`.
            StorageError: external data is missing, or lies elsewhere.
        """
        beside = external_paths(path, path.read_bytes())
        digests = {path.name: sha256_of(path)}
        digests |= {location: sha256_of(file) for location, file in beside.items()}
        digest = digests[path.name]
        if beside:
            digest = hashlib.sha256("".join(digests.values()).encode()).hexdigest()
        for name, file in {path.name: path, **beside}.items():
            self.push(file, f"files/{digest}/{name}", digests[name])
        return Path(self.probed.root) / f"files/{digest}/{path.name}"

    @cached_property
    def runner(self) -> Runner:
        """The wheels and the edgekit for this board, made here."""
        probed = self.probed
        libc, _, version = probed.libc.partition(" ")
        glibc = version.split(".") if libc == "glibc" else None
        return build_runner(
            self._cache,
            probed.arch,
            probed.python,
            None if glibc is None else (int(glibc[0]), int(glibc[1])),
            self.link.thing,
        )

    @cached_property
    def description(self) -> Description:
        """What edgekit says on the board, after it is installed there.

        Raises:
            DeviceError: a package is missing or does not run there.
        """
        for archive in self.runner.archives:
            self._install(archive)
        script = "exec " + self.python("-m", "edgekit.measure.devices.describe")
        try:
            answer = self.link.retried(lambda: self.link.once(script, timeout_s=300.0))
        except DeviceError as error:
            way_out = self.runner.way_out or error.way_out
            raise DeviceError(self.link.thing, error.problem, way_out) from error
        return decoded(answer, Description, self.link.thing)

    def python(self, *arguments: str, session: str | None = None) -> str:
        """The shell words that run the board's Python with edgekit."""
        root = self.probed.root
        paths = ":".join(f"{root}/{archive.folder}" for archive in self.runner.archives)
        variables = {"PYTHONPATH": paths, "EDGEKIT_CACHE": root, **self.runner.environment}
        if session is not None:
            variables |= {"EDGEKIT_SESSION": session, "EDGEKIT_CACHE": session}
        words = [f"{name}={value}" for name, value in variables.items()]
        return shlex.join(["env", *words, self.probed.program, "-P", *arguments])

    def _install(self, archive: Archive) -> None:
        """Send and unpack an archive, unless the board has it."""
        folder = archive.folder
        if self.link.retried(lambda: self.have(folder))[folder] == WHOLE:
            return
        names = []
        for file in archive.files:
            digest = sha256_of(file)
            names.append(f"files/{digest}.zip")
            self.push(file, names[-1], digest)
        script = self.agent("unpack", self.probed.root, folder, *names)
        self.link.retried(lambda: self._unpack(script, folder))

    def _unpack(self, script: str, folder: str) -> None:
        if self.have(folder)[folder] != WHOLE:
            self.link.once(script, timeout_s=600.0)


def _parts(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while part := file.read(PART_BYTES):
            yield part
