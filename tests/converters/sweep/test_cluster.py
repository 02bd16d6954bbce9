"""The same searches on a Dask cluster of processes, one of which is killed at work."""

import os
import signal
import threading
from pathlib import Path

import pytest
from edgekit_converters.sweep import cluster
from edgekit_converters.sweep.cluster import check, ordered, run_on
from edgekit_converters.sweep.plan import read_plan
from processes import is_alive, processes_with, stat_of, wait_until
from sweeps import write_plan

from edgekit.bundle import Bundle
from edgekit.errors import UsageError

reason = "distributed is not installed: pip install 'edgekit[sweep]'"


@pytest.fixture
def workers():
    distributed = pytest.importorskip("distributed", reason=reason)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as found:
        yield found


def kill_a_busy_worker(folder, killed):
    """As soon as one runs a search; the search ends with its worker."""
    wait_until(lambda: searches_in(folder), 60)
    search = searches_in(folder)[0]
    _, worker = stat_of(Path(f"/proc/{search}"))
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not is_alive(search))
    killed.append(worker)


def searches_in(folder):
    """Processes of searches on models in a folder."""
    return sorted(set(processes_with("sweep.process")) & set(processes_with(str(folder))))


@pytest.mark.filterwarnings("default")
def test_a_lost_worker_costs_no_search(workers, tmp_path):
    jobs = read_plan(write_plan(tmp_path, ["one", "two"]))
    outcomes, killed = {}, []
    killer = threading.Thread(target=kill_a_busy_worker, args=(tmp_path, killed))
    killer.start()
    address = workers.scheduler_address
    run_on(address, jobs, tmp_path / "out", lambda each: outcomes.update({each.job: each}))
    killer.join()
    assert len(killed) == 1
    assert sorted(outcomes) == sorted(job.name for job in jobs)
    assert [each.problem for each in outcomes.values()] == ["", ""]
    for job in jobs:
        with Bundle.open(tmp_path / "out" / job.name / f"{job.stem}.edgekit") as bundle:
            assert bundle.manifest.target == job.target


def test_a_worker_with_other_files_or_code_refuses(tmp_path, monkeypatch):
    (job,) = read_plan(write_plan(tmp_path))
    order = ordered(job)
    check(order)
    (tmp_path / "task.py").write_text("other")
    with pytest.raises(UsageError, match=r"another one: .*task\.py; share the folder"):
        check(order)
    monkeypatch.setattr(cluster, "own_code", lambda: "other")
    with pytest.raises(UsageError, match="another version of edgekit"):
        check(order)


def test_host_is_no_target_on_a_cluster(tmp_path):
    jobs = read_plan(write_plan(tmp_path, targets=["host"]))
    with pytest.raises(UsageError, match="'host' would be whichever worker"):
        run_on("tcp://127.0.0.1:1", jobs, tmp_path, print)
