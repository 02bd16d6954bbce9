"""A connection that drops, with a shell of this machine at its other end."""

import shlex
import sys

import onnx
import pytest
from workmodels import matmuls

from edgekit.errors import DeviceError
from edgekit.measure.devices.board import Board
from edgekit.measure.devices.link import Link, decoded
from edgekit.measure.devices.lock import sha256_of
from edgekit.measure.devices.transport import Failure, LinkLostError


def operation(script):
    """The agent's operation: the word behind its source."""
    words = shlex.split(script)
    return words[5] if words[2:4] == ["-I", "-c"] else None


class Shell:
    """Runs scripts here; exit code 255 is a dropped connection, 254 one for good."""

    thing = "device 'shell'"

    def __init__(self):
        self.scripts = []
        self.cut_after_bytes = []

    def command(self, script):
        self.scripts.append(script)
        if operation(script) == "receive" and self.cut_after_bytes:
            count = self.cut_after_bytes.pop(0)
            return ["sh", "-c", 'head -c "$0" | sh -c "$1"; exit 255', str(count), script]
        return ["sh", "-c", script]

    def failure(self, code, words):
        if code not in (254, 255):
            return None
        return Failure(words or "it dropped", "look at it", lasting=code == 254)


@pytest.fixture
def shell():
    return Shell()


@pytest.fixture
def link(shell):
    return Link(shell, attempts=3, wait_s=0.01)


@pytest.fixture
def board(link, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "there"))
    return Board(link, tmp_path / "here")


def test_a_command_takes_what_it_is_fed_and_gives_what_it_prints(link):
    assert link.once("cat; echo done", [b"one ", b"two "]) == b"one two done\n"


def test_more_than_a_pipe_holds_passes(link):
    assert link.once("wc -c", [b"x" * 1_000_000] * 3).strip() == b"3000000"


def test_a_script_that_does_not_read_is_no_failure(link):
    assert link.once("echo done", [b"x" * 1_000_000]) == b"done\n"


def test_a_script_that_fails_says_why_and_is_not_tried_again(link, shell):
    with pytest.raises(DeviceError, match="No space left"):
        link.retried(lambda: link.once("echo 'No space left' >&2; exit 1"))
    assert len(shell.scripts) == 1


def test_a_dropped_connection_is_tried_again_until_the_attempts_are_over(link, shell):
    with pytest.raises(DeviceError, match=r"it dropped \(3 attempts\); look at it") as failed:
        link.retried(lambda: link.once("exit 255"))
    assert len(shell.scripts) == 3
    assert not isinstance(failed.value, LinkLostError)


def test_a_connection_that_comes_back_is_used(link, tmp_path):
    mark = tmp_path / "mark"
    script = f"if test -e {mark}; then echo back; else touch {mark}; exit 255; fi"
    assert link.retried(lambda: link.once(script)) == b"back\n"


def test_what_lasts_is_not_tried_again(link, shell):
    with pytest.raises(DeviceError):
        link.retried(lambda: link.once("exit 254"))
    assert len(shell.scripts) == 1


def test_silence_past_the_deadline_is_a_lost_connection(link):
    with pytest.raises(LinkLostError, match="no answer in time"):
        link.once("sleep 60", timeout_s=0.3)


def test_a_greeting_of_a_login_script_is_explained():
    with pytest.raises(DeviceError, match="must print nothing"):
        decoded(b"Welcome!\n{}", dict[str, int], "it")


def test_a_board_without_python_is_told_so(link, monkeypatch, tmp_path):
    monkeypatch.setattr("edgekit.measure.devices.link.PYTHONS", ("python9",))
    board = Board(link, tmp_path)
    monkeypatch.setattr("edgekit.measure.devices.board.PYTHONS", ("python9",))
    monkeypatch.setattr("edgekit.measure.devices.board.TERMUX", "/nowhere/python3")
    with pytest.raises(DeviceError, match=r"no Python 3\.11 or later"):
        assert board.probed


def test_a_file_is_sent_once(board, shell, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 1000)
    there = board.put(path)
    assert there.name == "model.onnx"
    assert there.read_bytes() == path.read_bytes()
    sent = len(shell.scripts)
    assert board.put(path) == there
    assert len(shell.scripts) == sent + 1  # it asked


def test_external_data_is_sent_to_lie_beside_its_model(board, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save_model(
        matmuls(2, 64), path, save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    there = board.put(path)
    weights = tmp_path / "weights.bin"
    assert (there.parent / "weights.bin").read_bytes() == weights.read_bytes()
    weights.write_bytes(weights.read_bytes()[::-1])
    again = board.put(path)
    assert again.parent != there.parent
    assert (again.parent / "weights.bin").read_bytes() == weights.read_bytes()


def test_an_upload_goes_on_where_the_connection_dropped(board, shell, tmp_path):
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * 40_000)
    assert board.probed
    shell.cut_after_bytes = [3_000_000, 2_000_000, 1_000_000, 1_500_000]
    there = board.put(path)
    assert sha256_of(there) == sha256_of(path)
    sent = [script for script in shell.scripts if operation(script) == "receive"]
    offsets = [int(shlex.split(script)[-2]) for script in sent]
    assert offsets == [0, 3_000_000, 5_000_000, 6_000_000, 7_500_000]


def test_an_upload_that_never_gets_on_is_given_up(board, shell, tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"x" * 100_000)
    assert board.probed
    shell.cut_after_bytes = [0] * 10
    with pytest.raises(DeviceError, match="3 attempts"):
        board.put(path)


def test_the_python_that_is_found_is_a_new_one(board):
    assert board.probed.python >= (3, 11)
    assert board.probed.python[0] == sys.version_info[0]
