"""Workers as real processes: what happens when something ends, hangs or is missing."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import CrashError, InputError, ModelError, StorageError, UsageError
from edgekit.measure.process import Worker
from edgekit.measure.protocol import Block, Load


@pytest.fixture
def x_npy(tmp_path, feeds):
    path = tmp_path / "x.npy"
    np.save(path, feeds[0]["x"])
    return str(path)


def load(model, x_npy, **changes):
    fields = {
        "role": "candidate", "path": str(model), "threads": 1, "samples": [{"x": x_npy}],
        "raw": False, "warm_calls": 3,
    }  # fmt: skip
    return Load(**(fields | changes))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_worker_loads_a_model_and_times_calls_in_the_order_it_is_told(few, many, x_npy):
    with Worker(30.0) as worker:
        first = worker.load(load(few, x_npy, role="few"))
        worker.load(load(many, x_npy, role="many"))
        times = worker.time(Block(["few", "many", "many", "few"], 0), "both")
    assert first.runtime.startswith("onnxruntime ")
    assert min(first.load_ms, first.first_ms, first.warm_ms, first.peak_mb) > 0
    assert {role: len(ns) for role, ns in times.total_ns.items()} == {"few": 2, "many": 2}
    assert times.features_ns == {}


def test_closing_ends_the_process(few, x_npy):
    with Worker(30.0) as worker:
        worker.load(load(few, x_npy))
        assert is_running(worker.pid)
    assert not is_running(worker.pid)


def test_a_process_that_is_killed_is_a_crash_of_the_model_not_an_internal_error(few, x_npy):
    with Worker(30.0) as worker:
        worker.load(load(few, x_npy))
        os.kill(worker.pid, signal.SIGSEGV)
        with pytest.raises(CrashError, match=r"few.*ended while its calls were timed.*SIGSEGV"):
            worker.time(Block(["candidate"] * 2, 0), "model 'few'")


def test_a_model_that_hangs_is_a_crash_after_the_time_allowed(hanging, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 1), np.float32))
    with Worker(3.0) as worker:
        with pytest.raises(CrashError, match=r"no answer in 3 s while it was loaded"):
            worker.load(load(hanging, str(tmp_path / "x.npy")))
        pid = worker.pid
    assert not is_running(pid)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"path": "missing.onnx"}, ModelError, "missing.onnx"),
        ({"path": "model.bin"}, UsageError, "suffix"),
        ({"samples": [{"x": "missing.npy"}]}, StorageError, "missing.npy"),
        ({"raw": True}, UsageError, "through a bundle only"),
    ],
    ids=["no model", "no engine", "no sample", "raw input of a plain model"],
)
def test_what_a_worker_refuses_is_raised_here_as_it_was_there(few, x_npy, change, error, words):
    with Worker(30.0) as worker, pytest.raises(error, match=words) as caught:
        worker.load(load(few, x_npy, **change))
    assert not isinstance(caught.value, CrashError)


def test_a_refused_model_leaves_the_worker_ready_for_the_next(few, tmp_path, x_npy):
    np.save(tmp_path / "wrong.npy", np.zeros((1, 3), np.float32))
    with Worker(30.0) as worker:
        with pytest.raises(InputError, match="'x'"):
            worker.load(load(few, str(tmp_path / "wrong.npy")))
        assert worker.load(load(few, x_npy)).load_ms > 0


HOLD = """
import sys, time
from edgekit.measure.process import Worker
worker = Worker(60.0)
print(worker.pid, flush=True)
time.sleep(60)
"""

HANG = """
import sys
from edgekit.measure.process import Worker
from edgekit.measure.protocol import Load
worker = Worker(60.0)
print(worker.pid, flush=True)
worker.load(Load("candidate", sys.argv[1], 1, [{"x": sys.argv[2]}], False, 1))
"""


@pytest.mark.parametrize("script", [HOLD, HANG], ids=["idle", "in a call that hangs"])
def test_a_worker_dies_with_its_parent_even_when_that_is_killed(script, hanging, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 1), np.float32))
    command = [sys.executable, "-c", script, str(hanging), str(tmp_path / "x.npy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        if script is HANG:
            wait_until(lambda: cpu_seconds(pid) > 1.5)
        assert is_running(pid)
        parent.kill()
    wait_until(lambda: not is_running(pid))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ctrl_c_reaches_the_parent_alone_and_leaves_nothing_behind(few, x_npy):
    def time_until_interrupted(worker):
        with worker:
            worker.load(load(few, x_npy))
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            while True:
                worker.time(Block(["candidate"] * 2, 0), "model")

    worker = Worker(30.0)
    assert os.getsid(worker.pid) == worker.pid
    with pytest.raises(KeyboardInterrupt):
        time_until_interrupted(worker)
    assert not is_running(worker.pid)
