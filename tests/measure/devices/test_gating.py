"""`edgekit gate` on devices: boards behind a real sshd, and the emulated Arm."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import onnx
import pytest
from processes import children_of, is_alive, wait_until
from workmodels import endless

from edgekit.errors import DeviceError
from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import gather
from edgekit.gate.judge import judge
from edgekit.gate.report import make_report, to_json
from edgekit.gate.verdict import Outcome
from edgekit.gate.wanted import Wanted
from edgekit.measure.bench import bench

pytestmark = pytest.mark.slow

COUNTED = parse_budget({"instructions": {"max_ratio": 1.05, "max_millions": 100}}, "budget")
TIMED = parse_budget({"latency": {"p95_ms": 1000.0, "max_ratio": 9.0}}, "budget")


def outcomes(budget, evidence):
    return [verdict.outcome for verdict in judge(budget, evidence)]


@pytest.fixture
def emulated(arm, kept_cache, tmp_path, monkeypatch):
    """The address of the emulated CPU whose userland is kept between runs."""
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache/arm").symlink_to(kept_cache / "arm")
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    return arm.url


def test_more_work_fails_by_instructions_and_the_same_work_passes(emulated, models):
    baselines = (models["ten"], models["more"])
    found = gather(Wanted(models["more"], baselines, devices=(emulated,)), COUNTED)
    assert outcomes(COUNTED, found) == [Outcome.FAIL, Outcome.PASS, Outcome.PASS]
    assert found.timing is None


def test_an_interrupted_count_ends_at_once_and_leaves_nothing(emulated, tmp_path):
    endless_model, scratch = tmp_path / "endless.onnx", tmp_path / "scratch"
    onnx.save(endless(), endless_model)
    scratch.mkdir()
    (tmp_path / "budget.toml").write_text("[instructions]\nmax_ratio = 1.05\n")
    command = ["gate", endless_model, "--baseline", endless_model, "--device", emulated]
    with subprocess.Popen(
        [sys.executable, "-m", "edgekit.cli", *command, "--budget", tmp_path / "budget.toml"],
        env={**os.environ, "TMPDIR": str(scratch)}, start_new_session=True,
    ) as process:  # fmt: skip
        wait_until(lambda: len(emulators_of(process)) == 2)
        emulators = emulators_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert not any(map(is_alive, emulators))
    assert not list(scratch.iterdir())


def emulators_of(process):
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children_of(process.pid)}
    return [pid for pid, command in commands.items() if b"-plugin" in command]


def test_bench_counts_on_an_emulated_cpu_and_tells_no_latency(emulated, models):
    found = bench(models["ten"], device=emulated)
    assert found["instructions"]["inference"]["instructions"] > 1000
    assert found["device"] == emulated
    assert {"size_bytes", "versions", "samples", "inputs"} <= set(found)
    for absent in ("latency_ms", "throughput_per_s", "memory_mb", "energy_mj"):
        assert absent not in found
    for moving in ("load_1m", "temperature_c", "governor", "turbo"):
        assert moving not in found["environment"]


def test_bench_of_a_board_has_every_figure_but_instructions(
    host_as_board, models, kept_cache, monkeypatch
):
    monkeypatch.setenv("EDGEKIT_CACHE", str(kept_cache))
    found = bench(models["features"], device=host_as_board.url, calls=24, max_s=5.0)
    percentiles = ("p50", "p90", "p95", "p99", "max", "first", "load", "model_p50", "features_p50")
    assert set(found["latency_ms"]) == set(percentiles)
    assert min(found["latency_ms"].values()) > 0.0
    assert found["throughput_per_s"] > 0.0
    assert found["memory_mb"]["peak"] > 10.0
    assert found["samples"]["calls"] >= 24
    assert set(found["size_bytes"]) == {"model", "bundle"}
    assert {"edgekit", "onnxruntime", "numpy"} <= set(found["versions"])
    assert found["device"] == host_as_board.url
    assert "load_1m" in found["environment"]
    assert "instructions" not in found
    assert ("energy_mj" in found) != ("energy_mj" in found["not_measured"])


def test_a_board_is_timed_and_its_user_stays_out_of_the_report(host_as_board, models):
    wanted = Wanted(models["twin"], (models["ten"],), devices=(host_as_board.url,), max_s=2.0)
    found = gather(wanted, TIMED)
    assert Outcome.FAIL not in outcomes(TIMED, found)
    report = to_json(make_report(TIMED, found, judge(TIMED, found))).decode()
    assert f"ssh://127.0.0.1:{host_as_board.port}" in report
    assert host_as_board.url not in report


def test_a_board_that_was_never_there_is_an_error(models):
    with pytest.raises(DeviceError, match="Could not resolve hostname"):
        gather(Wanted(models["ten"], devices=("ssh://nowhere.invalid",)), TIMED)


def test_a_board_that_disappears_leaves_its_limits_open(host_as_board, models):
    forever = Wanted(models["twin"], (models["ten"],), devices=(host_as_board.url,), max_s=60.0)
    budget = parse_budget({"latency": {"p99_ms": 1000.0, "max_ratio": 1.0}}, "budget")

    def stop_when_it_times():
        deadline = time.monotonic() + 60
        sessions = host_as_board.home / ".cache/edgekit/board"
        while not list(sessions.glob("session-*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        host_as_board.stop()

    stopper = threading.Thread(target=stop_when_it_times)
    stopper.start()
    found = gather(forever, budget)
    stopper.join()
    assert "the device disappeared" in found.missing["timing"]
    assert set(outcomes(budget, found)) == {Outcome.INCONCLUSIVE}
