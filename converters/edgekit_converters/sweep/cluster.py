"""Searches on a Dask cluster: the only importer of distributed.

A worker reads models, tasks and their data from a folder that it shares with this machine, at the
same path, and checks that they are the same files; what a search writes travels back as bytes.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from edgekit.errors import EdgekitError, MissingExtraError, UsageError
from edgekit_converters.search.identity import own_code
from edgekit_converters.sweep.job import Outcome, run_job
from edgekit_converters.sweep.plan import Job
from edgekit_converters.targets import HOST

CONNECT_S = "20s"


class Order(Struct, frozen=True):
    """A search as it is sent to a worker.

    Attributes:
        job: the search.
        digests: sha256 of the model and of the task file, by path.
        code: digest of edgekit's own code.
    """

    job: Job
    digests: dict[str, str]
    code: str


def run_on(address: str, jobs: Sequence[Job], out: Path, done: Callable[[Outcome], None]) -> None:
    """Run every search on a cluster; `done` is called as each ends.

    A worker that is lost costs its search, which Dask gives to another one.

    Args:
        address: of the scheduler, such as `tcp://10.0.0.5:8786`.
        jobs: what to search for.
        out: each has a folder of its name in it, on this machine.
        done: is told each outcome.

    Raises:
        MissingExtraError: distributed is not installed.
        UsageError: no scheduler answers, or a target is `host`.
    """
    thing = f"--dask {address}"
    if any(job.target == HOST for job in jobs):
        problem = "target 'host' would be whichever worker takes the job"
        raise UsageError(thing, problem, "name the target, or leave --dask out")
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        way_out = "pip install 'edgekit[sweep]'"
        raise MissingExtraError(thing, f"{error.name} is not installed", way_out) from error
    try:
        client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        problem = f"no scheduler answers ({error})"
        raise UsageError(thing, problem, "start one with: dask scheduler") from error
    with client, client.as_current():
        futures = {
            client.submit(shipped, ordered(job), key=f"edgekit-{job.name}", pure=False): job
            for job in jobs
        }
        for future in as_completed(list(futures)):
            outcome, files = _result(future, futures[future])
            publish(files, out / outcome.job)
            done(outcome)


def _result(future: Any, job: Job) -> tuple[Outcome, dict[str, bytes]]:
    """Of a future that is done; what Dask gave up is a crash."""
    error = future.exception()
    if error is not None:
        problem = f"its workers were lost: {type(error).__name__}: {error}"
        return Outcome(job.name, 1, None, problem, crashed=True), {}
    outcome, files = future.result()
    return outcome, files


def ordered(job: Job) -> Order:
    """A search with what it depends on."""
    digests = {path: _sha256(Path(path)) for path in (job.wish.model, job.wish.task)}
    return Order(job, digests, own_code())


def shipped(order: Order) -> tuple[Outcome, dict[str, bytes]]:
    """On a worker: run a search whose files are here, and send back what it wrote."""
    job = order.job
    try:
        check(order)
    except EdgekitError as error:
        return Outcome(job.name, 1, None, str(error)), {}
    with tempfile.TemporaryDirectory(prefix="edgekit-sweep-") as folder:
        outcome = run_job(job, Path(folder))
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
    return outcome, files


def check(order: Order) -> None:
    """Whether a worker has the same code and files.

    Raises:
        UsageError: it has not.
    """
    if own_code() != order.code:
        problem = "this worker has another version of edgekit"
        raise UsageError(f"job {order.job.name!r}", problem, "install the same everywhere")
    for path, digest in order.digests.items():
        if not Path(path).is_file() or _sha256(Path(path)) != digest:
            problem = f"this worker has no such file, or another one: {path}"
            way_out = "share the folder with all workers at the same path"
            raise UsageError(f"job {order.job.name!r}", problem, way_out)


def publish(files: dict[str, bytes], folder: Path) -> None:
    """Write what a search wrote elsewhere: all of it or nothing."""
    from edgekit_converters.packing.publish import publishing

    if files:
        with publishing(folder) as staging:
            for name, content in files.items():
                (staging / Path(name).name).write_bytes(content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
