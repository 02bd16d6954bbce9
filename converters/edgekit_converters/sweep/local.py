"""Searches on this machine: side by side where they do not disturb each other."""

import subprocess
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from edgekit_converters.sweep.job import Outcome, end, run_job
from edgekit_converters.sweep.lanes import ALONE, FREE, lane
from edgekit_converters.sweep.plan import Job

Done = Callable[[Outcome], None]


class Running:
    """The processes that run now, so that all of them can be ended."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def add(self, process: "subprocess.Popen[bytes]") -> None:
        """One more.

        Raises:
            CancelledError: all were told to end, and so is this one.
        """
        with self._lock:
            self._processes.append(process)
            stopped = self._stopped
        if stopped:
            raise CancelledError

    def stop(self) -> None:
        """End all, and every one that is added later."""
        with self._lock:
            self._stopped = True
            running = [process for process in self._processes if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            end(process)


def run_here(jobs: Sequence[Job], out: Path, at_once: int, done: Done) -> None:
    """Run every search; `done` is called in this thread as each ends.

    Args:
        jobs: in the order to start them.
        out: each has a folder of its name in it.
        at_once: processes side by side.
        done: is told each outcome.
    """
    queues: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        queues[lane(job.target, job.wish.device)].append(job)
    alone = queues.pop(ALONE, [])
    # a lane is a list that one thread works off; each free job is a lane of its own
    lanes = [[job] for job in queues.pop(FREE, [])] + list(queues.values())
    _run(lanes, out, at_once, done)
    _run([alone], out, 1, done)


def _run(lanes: Sequence[Sequence[Job]], out: Path, at_once: int, done: Done) -> None:
    """Run lanes side by side, the jobs of each one after the other."""
    running = Running()
    ended: SimpleQueue[Outcome | BaseException] = SimpleQueue()

    def work(jobs: Sequence[Job]) -> None:
        try:
            for job in jobs:
                ended.put(run_job(job, out / job.name, running.add))
        except BaseException as error:  # told to the thread that waits
            ended.put(error)

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for jobs in lanes:
                pool.submit(work, jobs)
            for _ in range(sum(map(len, lanes))):
                outcome = ended.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                done(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running.stop()
            raise
