"""A real sshd on 127.0.0.1, what is left of a visit to it, and visits that are interrupted."""

import contextlib
import fcntl
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from processes import children_of, processes_with, wait_until

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


class Sshd:
    """An sshd on 127.0.0.1 with its own keys; every command goes through `forced`."""

    def __init__(self, folder, forced=None):
        self.folder = folder
        self.port = _free_port()
        self.url = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        for name in ("host", "user"):
            key = folder / name
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        host_key = (folder / "host.pub").read_text().rsplit(" ", 1)[0]
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {host_key}\n")
        (folder / "client").write_text(
            f"Host *\n IdentityFile {folder}/user\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {folder}/known\n"
        )
        lines = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/user.pub", "PidFile none", "StrictModes no",
            "UsePAM no", "PasswordAuthentication no", "LogLevel ERROR",
        ]  # fmt: skip
        if forced:
            lines.append(f"ForceCommand {forced}")
        (folder / "server").write_text("\n".join(lines) + "\n")
        self.start()

    @property
    def client(self):
        """For EDGEKIT_SSH."""
        return f"ssh -F {self.folder}/client"

    def start(self):
        Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "log").open("a") as log:
            command = [SSHD, "-D", "-e", "-f", str(self.folder / "server")]
            self.process = subprocess.Popen(command, stderr=log)
        wait_until(lambda: _answers(self.port))

    def connections(self):
        """The processes that serve connections."""
        return children_of(self.process.pid)

    def drop(self):
        """End every connection, as a link that breaks; new ones are welcome."""
        self._end(self.connections())

    def _end(self, connections):
        for pid in connections:
            for each in (pid, *children_of(pid)):
                with contextlib.suppress(OSError):  # it has ended by itself
                    if b"sshd" in Path(f"/proc/{each}/cmdline").read_bytes():
                        os.kill(each, signal.SIGKILL)

    def stop(self):
        connections = self.connections()
        self.process.kill()
        self.process.wait()
        self._end(connections)


def serve_this_machine(folder, home):
    """This machine as a board, with a home of its own for its cache."""
    script = folder / "forced"
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    script.write_text(f'exec env -i HOME={home} PATH={path} sh -c "$SSH_ORIGINAL_COMMAND"\n')
    server = Sshd(folder, f"sh {script}")
    server.home = home
    return server


def remains(server, scratch=None, cache=None):
    """What a visit has left, in words; empty when both sides are clean.

    Args:
        server: whose `home` is the board's.
        scratch: the client's folder for temporary files.
        cache: the client's cache folder.
    """
    board = server.home / ".cache/edgekit/board"
    found = [f"board: {path.name}" for path in sorted(board.glob("*"))]
    found = [name for name in found if not name.startswith(("board: files", *_KEPT))]
    found += [f"board: process {pid}" for pid in processes_with(f"EDGEKIT_SESSION={board}")]
    found += [f"board: agent {pid}" for pid in processes_with(str(board))]
    found += [f"board: connection {pid}" for pid in server.connections()]
    found += [f"here: client {pid}" for pid in processes_with(f"{server.folder}/client")]
    if scratch is not None:
        found += [f"here: process {pid}" for pid in processes_with(f"TMPDIR={scratch}")]
        found += [f"here: {path.name}" for path in scratch.iterdir()]
    if cache is not None:
        found += [f"here: {path.name}" for path in cache.rglob("*.partial")]
        found += [f"here: lock {path}" for path in cache.rglob("building") if _is_held(path)]
    return found


_KEPT = ("board: wheels-", "board: edgekit-")


def _is_held(path):
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


INTERRUPTIONS = {
    "SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL, "drop": None,
}  # fmt: skip
"""What ends a visit: a signal to the client, or nothing of it but its connection."""


@dataclass
class Interrupted:
    """What came of it: seconds until the client had ended, and until nothing was left."""

    code: int
    said: str
    ended_s: float
    clean_s: float


def interrupt(server, command, how, after_s, *, scratch, cache, patience_s=60.0):
    """Run a command of edgekit against the board, interrupt it, wait until both sides are clean.

    Args:
        server: the board.
        command: arguments of `edgekit`.
        how: one of `INTERRUPTIONS`; after a drop the client goes on by itself.
        after_s: when.
        scratch: an empty folder for the client's temporary files.
        cache: the client's cache folder.
        patience_s: for each wait, before it is a failure.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background job
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings = {"EDGEKIT_SSH": server.client, "EDGEKIT_CACHE": str(cache), "TMPDIR": str(scratch)}
    with subprocess.Popen(
        [sys.executable, "-m", "edgekit.cli", *command], env={**os.environ, **settings},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        time.sleep(after_s)
        started = time.monotonic()
        number = INTERRUPTIONS[how]
        if number is None:
            server.drop()
        else:
            process.send_signal(number)
        try:
            _, said = process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    ended_s = time.monotonic() - started
    left = remains(server, scratch, cache)
    while left and time.monotonic() - started < ended_s + patience_s:
        time.sleep(0.05)
        left = remains(server, scratch, cache)
    assert not left, f"{how} after {after_s:.1f} s, exit code {process.returncode}: {left}"
    clean_s = time.monotonic() - started
    return Interrupted(process.returncode, said.decode(), ended_s, clean_s)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
