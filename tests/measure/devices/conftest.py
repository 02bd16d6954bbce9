"""Devices that are really there: an emulated Arm, a board behind a real sshd, a fake adb.

What takes long to build is kept between runs in $EDGEKIT_TEST_CACHE, else ~/.cache/edgekit-tests.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from featurebundle import write_feature_bundle
from loopback import SSHD, Sshd, serve_this_machine
from workmodels import matmuls

from edgekit.measure.devices.arm import ArmDevice


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
    server = serve_this_machine(_folder(tmp_path, "sshd"), host_home)
    monkeypatch.setenv("EDGEKIT_SSH", server.client)
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
