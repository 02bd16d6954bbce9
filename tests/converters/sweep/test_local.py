"""Searches in processes of their own: crashes, retries, what runs beside what."""

import os
import signal

import pytest
from edgekit_converters.sweep import local
from edgekit_converters.sweep.job import run_job
from edgekit_converters.sweep.lanes import ALONE, lane
from edgekit_converters.sweep.local import run_here
from edgekit_converters.sweep.plan import read_plan
from sweeps import TARGET, write_plan


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)


def test_a_killed_search_is_tried_once_more(tmp_path):
    (job,) = read_plan(write_plan(tmp_path))
    seen = []

    def kill_the_first(process):
        seen.append(process.pid)
        if len(seen) == 1:
            kill(process)

    outcome = run_job(job, tmp_path / "out", kill_the_first)
    assert (outcome.attempts, outcome.problem) == (2, "")
    assert outcome.found["chosen"]
    assert (tmp_path / "out" / f"{job.stem}.edgekit").is_file()


def test_one_that_is_killed_again_is_reported_and_costs_only_itself(tmp_path, monkeypatch):
    jobs = read_plan(write_plan(tmp_path, ["bad", "good"]))
    monkeypatch.setattr(local, "lane", lambda target, device: "")

    def killing(job, out, started):
        return run_job(job, out, kill if job.name.startswith("bad") else started)

    monkeypatch.setattr(local, "run_job", killing)
    outcomes = {}
    run_here(jobs, tmp_path / "out", 2, lambda outcome: outcomes.update({outcome.job: outcome}))
    bad, good = (outcomes[job.name] for job in jobs)
    assert (bad.crashed, bad.attempts) == (True, 2)
    assert f"ended by signal {int(signal.SIGKILL)}" in bad.problem
    assert good.found is not None
    assert not (tmp_path / "out" / bad.job).exists()


def test_a_task_that_is_refused_is_not_tried_again(tmp_path):
    (job,) = read_plan(write_plan(tmp_path))
    (tmp_path / "task.py").write_text("def score(p, l):\n    return 1.0\n")
    outcome = run_job(job, tmp_path / "out")
    assert (outcome.crashed, outcome.attempts) == (False, 1)
    assert "no function samples()" in outcome.problem


def test_what_this_machine_times_runs_alone():
    assert lane("host", None) == ALONE
    assert lane(TARGET, None) == ALONE
    assert lane("host", "arm://cortex-a76") in ("", ALONE)
    assert lane("cortex-a76", "local") == ""  # its search will say why not


@pytest.mark.parametrize("at_once", [1, 3])
def test_lanes_keep_their_order_and_share_nothing(tmp_path, monkeypatch, at_once):
    jobs = read_plan(write_plan(tmp_path, ["a", "b", "c", "d"]))
    monkeypatch.setattr(local, "lane", lambda target, device: "ssh://board")
    running, order = [], []

    def recording(job, out, started):
        running.append(job.name)
        assert len(running) == 1
        running.remove(job.name)
        return local.Outcome(job.name, 1)

    monkeypatch.setattr(local, "run_job", recording)
    run_here(jobs, tmp_path, at_once, lambda outcome: order.append(outcome.job))
    assert order == [job.name for job in jobs]
