"""Devices that are really there: an emulated Arm, a board behind a real sshd, a fake adb.

What takes long to build is kept between runs in $EDGEKIT_TEST_CACHE, else ~/.cache/edgekit-tests.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from featurebundle import write_feature_bundle
from processes import children_of, wait_until
from workmodels import matmuls

from edgekit.measure.devices.arm import ArmDevice

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def needs(*programs):
    """Skips where a program is missing; .ci/packages installs them all."""
    missing = [name for name in programs if shutil.which(name) is None and not Path(name).exists()]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def kept_cache():
    folder = Path(os.environ.get("EDGEKIT_TEST_CACHE") or "~/.cache/edgekit-tests").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def arm(kept_cache):
    needs("qemu-aarch64", "aarch64-linux-gnu-gcc", "cc", "apt-get")
    device = ArmDevice("cortex-a72", kept_cache)
    assert device.userland.description.isas
    return device


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Model files by name."""
    folder = tmp_path_factory.mktemp("models")
    for name, count in (("ten", 10), ("twin", 10), ("more", 12)):
        onnx.save(matmuls(count, 64), folder / f"{name}.onnx")
    write_feature_bundle(folder / "features.edgekit")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def feeds_64():
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal((1, 64)).astype(np.float32)} for _ in range(2)]


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


@pytest.fixture(scope="session")
def host_home(kept_cache):
    """A home for the board that this machine plays; what is cached there serves every run."""
    folder = kept_cache / f"host-home-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def host_as_board(tmp_path, host_home, monkeypatch):
    """This machine behind an sshd, with a home of its own for its cache."""
    needs(SSHD, "ssh", "ssh-keygen")
    home = host_home
    script = tmp_path / "forced"
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    script.write_text(f'exec env -i HOME={home} PATH={path} sh -c "$SSH_ORIGINAL_COMMAND"\n')
    server = Sshd(_folder(tmp_path, "sshd"), f"sh {script}")
    monkeypatch.setenv("EDGEKIT_SSH", server.client)
    server.home = home
    yield server
    server.stop()


@pytest.fixture
def arm_board(arm, kept_cache, tmp_path, monkeypatch):
    """The emulated userland behind an sshd. A board for function: its times mean nothing."""
    needs(SSHD, "ssh", "ssh-keygen", "proot")
    home = kept_cache / "board-home"
    home.mkdir(exist_ok=True)
    script = tmp_path / "forced"
    script.write_text(
        f"exec env -i HOME=/root PATH=/usr/bin:/bin "
        f'proot -q "qemu-aarch64 -cpu cortex-a72" -r {arm.userland.base} -b /proc -b /dev '
        f"-b {arm.userland.root}/proc/cpuinfo:/proc/cpuinfo -b {home}:/root -w / "
        f'/bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    server = Sshd(_folder(tmp_path, "sshd"), f"sh {script}")
    monkeypatch.setenv("EDGEKIT_SSH", server.client)
    server.home = home
    yield server
    server.stop()


def sessions(home):
    """Folders of sessions in a board's cache."""
    return list(home.glob(".cache/edgekit/board/session-*"))


def _folder(parent, name):
    folder = parent / name
    folder.mkdir()
    return folder


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
