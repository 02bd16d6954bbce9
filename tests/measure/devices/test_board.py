"""Boards behind a real sshd: what they measure, links that drop, and what is left behind."""

import itertools
import os
import random
import signal
import threading
import time

import numpy as np
import onnx
import pytest
from featurebundle import audio
from loopback import INTERRUPTIONS, interrupt, remains
from processes import processes_with, wait_until
from workmodels import endless

from edgekit.errors import CrashError, DeviceError, ModelError
from edgekit.measure.devices.board import Board
from edgekit.measure.devices.link import Link
from edgekit.measure.devices.remote import BoardDevice
from edgekit.measure.devices.session import BoardWorker
from edgekit.measure.devices.ssh import Ssh
from edgekit.measure.latency import Sampling
from edgekit.measure.recording import BASELINE, CANDIDATE
from edgekit.measure.samples import Samples, given_samples

pytestmark = pytest.mark.slow

FEW = Sampling(processes=2, max_calls=32, max_s=10.0)


@pytest.fixture
def board(host_as_board, kept_cache):
    return BoardDevice(host_as_board.url, Ssh(host_as_board.url), kept_cache)


def nothing_is_left(server):
    """No session on the board, no process of one, no client of it here."""
    wait_until(lambda: not remains(server), 40)


def test_an_emulated_arm_board_runs_the_same_worker(arm_board, kept_cache, models):
    device = BoardDevice(arm_board.url, Ssh(arm_board.url), kept_cache)
    about = device.describe()
    assert about["arch"] == "aarch64"
    assert about["device"] == arm_board.url
    assert about["isas"]
    found = device.measure(
        models["features"], Samples((audio(),), raw=True, source="audio"),
        Sampling(processes=1, max_calls=8, max_s=5.0),
    )  # fmt: skip
    assert found.timed.calls >= 8
    assert found.timed.features_p50_ms > 0
    assert found.timed.peak_mb > 10
    assert found.counted is None
    assert not list(arm_board.home.glob(".cache/edgekit/board/session-*"))


def test_two_sides_take_turns_and_nothing_is_left(board, host_as_board, models, feeds_64):
    sides = {BASELINE: models["ten"], CANDIDATE: models["more"]}
    measured = board.compare(sides, given_samples(feeds_64), FEW)
    assert measured.calls_ms(BASELINE).size == measured.calls_ms(CANDIDATE).size >= 32
    assert {start.process for start in measured.recording.starts} == {0, 1}
    assert measured.environment.device == host_as_board.url
    found = board.measure(models["features"], Samples((audio(),), raw=True, source="audio"), FEW)
    assert found.timed.features_p50_ms > 0
    broken = models["ten"].with_name("broken.onnx")
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        board.measure(broken, given_samples(feeds_64), FEW)
    nothing_is_left(host_as_board)


def test_a_link_that_drops_is_taken_up_again(board, host_as_board, models, feeds_64, monkeypatch):
    blocks, dropped = itertools.count(), []
    time_block = BoardWorker.time

    def time_or_drop(worker, request, thing):
        if next(blocks) in (3, 8):
            dropped.append(len(host_as_board.connections()))
            host_as_board.drop()
        return time_block(worker, request, thing)

    monkeypatch.setattr(BoardWorker, "time", time_or_drop)
    sampling = Sampling(processes=1, max_calls=2_000, max_s=300.0)
    measured = board.compare({CANDIDATE: models["ten"]}, given_samples(feeds_64), sampling)
    assert len(dropped) == 2
    assert min(dropped) >= 1
    assert len({start.process for start in measured.recording.starts}) == 3
    assert measured.calls_ms(CANDIDATE).size >= 2_000
    nothing_is_left(host_as_board)


def test_a_board_that_disappears_is_named(board, host_as_board, models, feeds_64):
    assert board.describe()
    board.board.link = Link(Ssh(host_as_board.url), attempts=2, wait_s=0.1)

    def vanish():
        wait_until(lambda: list(host_as_board.home.glob(".cache/edgekit/board/session-*")))
        time.sleep(1.5)
        host_as_board.stop()

    thread = threading.Thread(target=vanish)
    thread.start()
    sampling = Sampling(processes=1, max_calls=1_000_000, max_s=30.0)
    with pytest.raises(DeviceError, match=rf"^device '{host_as_board.url}': .*2 attempts"):
        board.measure(models["ten"], given_samples(feeds_64), sampling)
    thread.join()
    nothing_is_left(host_as_board)


def test_a_model_that_hangs_on_the_board_is_ended(board, host_as_board, tmp_path):
    onnx.save(endless(), tmp_path / "endless.onnx")
    feeds = given_samples([{"x": np.ones((1, 1), np.float32)}])
    sampling = Sampling(processes=1, timeout_s=3.0)
    with pytest.raises(CrashError, match=rf"^model '{tmp_path}/endless\.onnx': no answer in 3 s"):
        board.measure(tmp_path / "endless.onnx", feeds, sampling)
    nothing_is_left(host_as_board)


def test_a_model_that_kills_its_process_is_a_crash_and_not_a_lost_link(
    board, host_as_board, tmp_path
):
    onnx.save(endless(), tmp_path / "endless.onnx")
    cache = host_as_board.home / ".cache/edgekit/board"

    def kill():
        wait_until(lambda: list(cache.glob("session-*")))
        time.sleep(2.0)
        for pid in processes_with(f"EDGEKIT_SESSION={cache}"):
            os.kill(pid, signal.SIGSEGV)

    thread = threading.Thread(target=kill)
    thread.start()
    feeds = given_samples([{"x": np.ones((1, 1), np.float32)}])
    with pytest.raises(CrashError, match="signal SIGSEGV"):
        board.measure(tmp_path / "endless.onnx", feeds, Sampling(processes=1, timeout_s=30.0))
    thread.join()


COMMANDS = (
    ("bench", "--calls", "1000000", "--max-seconds", "4"),
    ("gate", "--max-seconds", "4"),
)


@pytest.mark.parametrize("how", INTERRUPTIONS)
def test_interrupted_at_any_moment_it_leaves_nothing_behind(
    board, host_as_board, models, kept_cache, tmp_path, how
):
    assert board.describe()  # what is cached is there; the rest is what may be left
    budget, scratch = tmp_path / "budget.toml", tmp_path / "temporary"
    budget.write_text("[latency]\nmax_ratio = 1.0\n")
    scratch.mkdir()
    against = ("--budget", budget, "--baseline", models["ten"])
    moments = random.Random(how)
    for name, *options in COMMANDS:
        more = against if name == "gate" else ()
        command = [name, models["twin"], "--device", host_as_board.url, *options, *more]
        moment = moments.uniform(0.3, 3.5)
        found = interrupt(
            host_as_board, command, how, moment, scratch=scratch, cache=kept_cache
        )  # fmt: skip
        assert found.ended_s < 30.0, found
        assert found.code in EXPECTED[how], found
        assert "Traceback" not in found.said


EXPECTED = {"SIGINT": (130,), "SIGTERM": (143,), "SIGKILL": (-9,), "drop": (0, 1, 3)}
"""Exit codes; a model against itself at a limit of 1.0 may also have been judged before a drop."""


def test_what_the_board_cannot_write_is_said(host_as_board, tmp_path):
    board = Board(Link(Ssh(host_as_board.url)), tmp_path)
    script = board.agent("receive", "/dev/full", "x", "1", "0", "00")
    with pytest.raises(DeviceError, match="a command failed there: /dev/full: "):
        board.link.once(script, [b"x"])
