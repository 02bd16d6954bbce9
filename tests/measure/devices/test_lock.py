"""Pins: what was fetched once must stay what it was."""

import subprocess
import sys
import time

import pytest

from edgekit.errors import DeviceError
from edgekit.measure.devices import lock
from edgekit.measure.devices.lock import one_at_a_time, pin, read_pins, sha256_of_tree


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.deb").write_bytes(b"a")
    (tmp_path / "b.deb").write_bytes(b"b")
    return tmp_path


def test_the_first_time_records_and_the_next_agrees(folder):
    assert read_pins(folder) is None
    first = pin(folder, "*.deb", "it")
    assert sorted(first) == ["a.deb", "b.deb"]
    assert pin(folder, "*.deb", "it") == first == read_pins(folder)


def change(folder):
    (folder / "a.deb").write_bytes(b"other")


def remove(folder):
    (folder / "b.deb").unlink()


def add(folder):
    (folder / "c.deb").write_bytes(b"c")


@pytest.mark.parametrize(("tamper", "name"), [(change, "a.deb"), (remove, "b.deb"), (add, "c.deb")])
def test_an_archive_that_changed_is_refused_by_name(folder, tamper, name):
    pin(folder, "*.deb", "it")
    tamper(folder)
    with pytest.raises(DeviceError, match=rf"^it: {name} has sha256 .*remove {folder}"):
        pin(folder, "*.deb", "it")


def test_a_damaged_lock_file_is_refused(folder):
    (folder / "lock.json").write_text("{")
    with pytest.raises(DeviceError, match="cannot be read"):
        pin(folder, "*.deb", "it")


def test_the_digest_of_a_tree_depends_on_names_and_contents(folder):
    names = [path.relative_to(folder) for path in folder.iterdir()]
    before = sha256_of_tree(folder, names)
    assert sha256_of_tree(folder, names[::-1]) == before
    (folder / "a.deb").write_bytes(b"other")
    assert sha256_of_tree(folder, names) != before


HOLD = """
import sys, pathlib
from edgekit.measure.devices.lock import one_at_a_time
with one_at_a_time(pathlib.Path(sys.argv[1]), "it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_builds_and_the_other_waits_and_a_killed_one_lets_go(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_S", 0.3)
    path = tmp_path / "building"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(DeviceError, match="another process"), one_at_a_time(path, "it"):
            pytest.fail("two hold it")
        other.kill()
    started = time.monotonic()
    with one_at_a_time(path, "it"):
        assert time.monotonic() >= started
