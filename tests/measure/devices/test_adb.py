"""adb at its protocol's edge: a stand-in that speaks adb's words. No device was there."""

import os
import sys
from pathlib import Path

import pytest

from edgekit.errors import DeviceError
from edgekit.measure.devices.adb import Adb
from edgekit.measure.devices.link import Link
from edgekit.measure.devices.remote import BoardDevice
from edgekit.measure.latency import Sampling
from edgekit.measure.samples import given_samples

FAKE = """\
#!/bin/sh
# adb -s SERIAL shell -T SCRIPT
[ "$1" = -s ] && [ "$3" = shell ] && [ "$4" = -T ] || { echo "adb: usage" >&2; exit 1; }
if [ -s SAYS ]; then cat SAYS >&2; exit 1; fi
exec env -i HOME=HOME_ PATH=PATH_ sh -c "$5"
"""


@pytest.fixture
def adb(tmp_path, monkeypatch):
    """Installs the stand-in; returns the file whose words it fails with."""
    home, says, program = tmp_path / "home", tmp_path / "says", tmp_path / "bin" / "adb"
    home.mkdir()
    program.parent.mkdir()
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    text = FAKE.replace("SAYS", str(says)).replace("HOME_", str(home)).replace("PATH_", path)
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return says


def link():
    return Link(Adb("adb://0123"), attempts=2, wait_s=0.01)


def test_a_machine_without_adb_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match="apt-get install adb"):
        link().once("true")


def test_a_script_passes_with_its_input_output_and_exit_code(adb):
    assert link().once("cat; echo there", [b"here\n"]) == b"here\nthere\n"
    with pytest.raises(DeviceError, match="a command failed there: exit code 3"):
        link().once("exit 3")


@pytest.mark.parametrize(
    ("words", "way_out", "attempts"),
    [
        ("error: device unauthorized.\n", "confirm the key on the device's screen", ""),
        ("adb: no devices/emulators found\n", "`adb devices`", ""),
        ("adb: device '0123' not found\n", "`adb devices`", r" \(2 attempts\)"),
        ("error: device offline\n", "check the cable", r" \(2 attempts\)"),
        ("error: closed\n", "check the cable", r" \(2 attempts\)"),
        ("adb: no permissions (user in plugdev group)\n", "udev", ""),
    ],
)
def test_what_adb_cannot_do_is_said_with_the_way_out(adb, words, way_out, attempts):
    adb.write_text(words)
    with pytest.raises(DeviceError, match=rf"^device 'adb://0123': .*{attempts}; .*{way_out}"):
        link().retried(lambda: link().once("true"))


@pytest.mark.slow
def test_a_model_is_measured_through_it(adb, kept_cache, models, feeds_64, tmp_path):
    device = BoardDevice("adb://0123", Adb("adb://0123"), kept_cache)
    found = device.measure(
        models["ten"], given_samples(feeds_64), Sampling(processes=1, max_calls=32, max_s=5.0)
    )
    assert found.device == found.environment.device == "adb://0123"
    assert found.timed.calls >= 32
    cache = tmp_path / "home/.cache/edgekit/board"
    assert not list(cache.glob("session-*"))
