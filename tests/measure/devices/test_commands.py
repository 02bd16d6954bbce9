"""Commands of a set-up: their failures as one error each, and nothing left running."""

import sys

import pytest
from processes import is_alive, wait_until

from edgekit.errors import DeviceError
from edgekit.measure.devices.commands import Step, find_program, last_words

STEP = Step("device 'x'", "try it", "do it otherwise", timeout_s=30.0)


def test_a_missing_program_names_its_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match=r"apt-get install qemu-user$"):
        find_program("qemu-aarch64", "device 'x'", "qemu-user")


def test_a_step_returns_what_its_command_prints():
    assert STEP.run(["sh", "-c", "echo hello"]) == "hello\n"


def test_a_failure_repeats_the_last_words_and_says_the_way_out():
    with pytest.raises(DeviceError) as failed:
        STEP.run(["sh", "-c", "echo first >&2; echo last >&2; exit 3"])
    assert str(failed.value) == "device 'x': cannot try it: last; do it otherwise"


def test_a_silent_failure_says_its_exit_code():
    with pytest.raises(DeviceError, match="exit code 3"):
        STEP.run(["sh", "-c", "exit 3"])


def test_a_program_that_cannot_be_started_is_named(tmp_path):
    with pytest.raises(DeviceError, match="missing cannot be started"):
        STEP.run([tmp_path / "missing"])


def test_what_takes_too_long_is_ended_with_its_children(tmp_path):
    step = Step("device 'x'", "wait", "do not", timeout_s=0.5)
    with pytest.raises(DeviceError, match=r"more than 0\.5 s"):
        step.run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"])
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_alive(pid))


def test_what_is_ended_may_remove_its_temporary_files(tmp_path):
    scratch = tmp_path / "scratch"
    tidy = f"import tempfile, time\nwith tempfile.TemporaryDirectory(dir={str(tmp_path)!r}):\n"
    tidy += f"    open({str(scratch)!r}, 'w').close(); time.sleep(60)"
    step = Step("device 'x'", "wait", "do not", timeout_s=2.0)
    with pytest.raises(DeviceError):
        step.run([sys.executable, "-c", tidy])
    assert list(tmp_path.iterdir()) == [scratch]


def test_passwords_in_addresses_are_not_repeated():
    assert last_words(b"Failed: http://me:secret@proxy/x\n\n") == "Failed: http://proxy/x"


def test_of_a_build_the_compilers_error_counts_not_what_the_tools_around_it_say():
    words = b"x.c:3:5: error: no such type\nninja: stopped\nERROR: Failed to build wheels\n"
    assert last_words(words) == "x.c:3:5: error: no such type"
