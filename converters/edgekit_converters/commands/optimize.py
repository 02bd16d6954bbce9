"""`edgekit optimize MODEL --task TASK.py`: search, judge, pack, report."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_converters.search.effort import CPU_S

if TYPE_CHECKING:
    from edgekit_converters.contained.risks import Risks
    from edgekit_converters.packing.publish import Identity
    from edgekit_converters.progress import Progress
    from edgekit_converters.report.told import Told
    from edgekit_converters.search.workbench import Job

HELP = "find the cheapest model within an accuracy budget, prove it and pack it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", type=Path, help="a trained .onnx model; a .tflite is scored and packed as it is"
    )
    add_search_arguments(parser, is_task_required=True)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the bundles")
    parser.add_argument("--name", help="of the bundle (the model file's name)")
    parser.add_argument("--version", default="1", help="of the bundle (1)")
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="EVIDENCE",
        help="make the chosen model of an evidence file or a bundle again, without searching",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_search_arguments(
    parser: argparse.ArgumentParser, *, is_task_required: bool = False
) -> None:
    """Declare what a search is asked for."""
    parser.add_argument(
        "--task", type=Path, required=is_task_required, help="what it is for: a task.py"
    )
    parser.add_argument("--target", default="host", help="what to make it for (host: this machine)")
    parser.add_argument(
        "--device",
        help="where cost is measured: local, ssh://[user@]host, adb://serial or arm://cortex-a76 "
        "(a device of the target if there is one, else its emulation)",
    )
    parser.add_argument(
        "--max-drop",
        type=float,
        default=0.01,
        help="of the task's score against fp32, 0 to 1 (0.01 is one point)",
    )
    parser.add_argument(
        "--certify",
        action="store_true",
        help="ask the limit of the 95 %% bound of the drop, not of its estimate",
    )
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (0)")
    parser.add_argument(
        "--cpu-seconds",
        type=float,
        default=CPU_S,
        help="that the whole search may take: candidates are tried as long as there is time to "
        f"judge one, explain and pack ({CPU_S:g})",
    )
    parser.add_argument(
        "--memory", default="1GB", help="that the search may take, such as 512MB (1GB)"
    )
    parser.add_argument(
        "--keep-dynamic-shapes",
        action="store_true",
        help="leave open every size that the model leaves open, also where the task uses one only",
    )
    parser.add_argument(
        "--engines",
        default="onnxsim,nncf",
        help="other libraries whose int8 is tried where they are installed, or none (onnxsim,nncf)",
    )
    parser.add_argument(
        "--sparse",
        action="store_true",
        help="try zeros among the weights too: smaller to send, not faster, never chosen",
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="search anew: neither take nor keep anything"
    )


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit_converters.contained.parent import contained
    from edgekit_converters.folders import LOCK, own_folder, work_folder
    from edgekit_converters.packing.publish import identify, publishing

    identity = identify(args.name or args.model.stem, args.version)
    with (
        own_folder(work_folder(), "optimize-") as work,
        telling() as progress,
        publishing(args.out) as staging,
    ):
        asked = partial(optimized, args, identity, work, staging)
        told = contained(asked, args.model, work, progress)
        names = sorted(path.name for path in staging.iterdir() if path.name != LOCK)
    tell(told, [args.out / name for name in names], as_json=args.json)
    return 0


def optimized(
    args: argparse.Namespace,
    identity: "Identity",
    work: Path,
    staging: Path,
    risks: "Risks",
    progress: "Progress",
) -> "Told":
    """What the command does, in a process of its own: files in `staging` and what to print."""
    job = accepted(args, work, progress, risks)
    if args.replay is not None:
        return replay_and_pack(args.replay, job, identity, staging)
    told = known_or_searched(job, identity, staging)
    for line in over_memory(args.memory):
        progress.note(line)
    return told


def over_memory(allowed: str) -> Iterator[str]:
    """That this process took more than it was allowed, where it did."""
    from edgekit.measure.memory import peak_memory_mb

    peak_mb = peak_memory_mb()
    if peak_mb is not None and peak_mb * 1e6 > size_bytes(allowed, "--memory"):
        yield (
            f"--memory {allowed} was not kept: the search took {peak_mb:.0f} MB; the cap holds for "
            "what is collected, not for the model, its inputs and the runtime"
        )


def accepted(args: argparse.Namespace, work: Path, progress: "Progress", risks: "Risks") -> "Job":
    """What is asked for, checked; with the digest of all that it depends on."""
    from edgekit.task import load_task
    from edgekit_converters.costs.cost import place_for
    from edgekit_converters.engines import versions_of
    from edgekit_converters.importers import read_model
    from edgekit_converters.passes import FORMS, FORMS_OF_ANY_SIZE
    from edgekit_converters.search.cache import FolderCache, search_cache
    from edgekit_converters.search.effort import Effort, used_cpu_s
    from edgekit_converters.search.elsewhere import engines_asked
    from edgekit_converters.search.evaluate import remembering
    from edgekit_converters.search.goal import Goal
    from edgekit_converters.search.identity import data_digest, digest_of, machine, own_code
    from edgekit_converters.search.workbench import HERE, Job
    from edgekit_converters.targets import load_target
    from edgekit_converters.trial import try_out

    effort = Effort(args.cpu_seconds, used_cpu_s() - risks.spent_s)
    target = load_target(args.target)
    goal = Goal(args.max_drop, args.certify)
    memory, engines = size_bytes(args.memory, "--memory"), engines_asked(args.engines)
    task = remembering(load_task(args.task), memory)
    progress.start("trying the model out", None)
    try_out(args.model, task)
    source = read_model(args.model)
    place = place_for(target, args.device) if source.model is not None else HERE
    progress.start("reading the task's samples", None)
    data = data_digest(task)
    is_board = place.device.startswith(("ssh:", "adb:"))  # another one may stand there tomorrow
    may_remember = not (args.no_cache or is_board or data is None)
    forms = FORMS_OF_ANY_SIZE if args.keep_dynamic_shapes else FORMS
    asked = (source.sha256, data, target, place, goal, args.seed, args.keep_dynamic_shapes)
    here = (machine(), versions_of(engines))
    return Job(
        source=source,
        task=task,
        target=target,
        goal=goal,
        folder=work,
        seed=args.seed,
        progress=progress,
        place=place,
        effort=effort,
        cache=search_cache() if may_remember else FolderCache(work / "kept"),
        risks=risks,
        identity=digest_of(*asked, engines, args.sparse, *here, own_code()),
        data=data,
        memory_bytes=memory,
        forms=forms,
        engines=engines,
        sparse=args.sparse,
    )


def known_or_searched(job: "Job", identity: "Identity", folder: Path) -> "Told":
    """What an identical search wrote, or a search."""
    import msgspec

    from edgekit_converters.folders import LOCK
    from edgekit_converters.report.told import Told
    from edgekit_converters.search.identity import digest_of
    from edgekit_converters.search.workbench import write_file

    limit = job.effort.limit_s
    key = digest_of(job.identity, identity.name, identity.version, limit, job.memory_bytes)
    known = job.cache.get(key)
    if known is not None:
        told, files = msgspec.msgpack.decode(known, type=tuple[Told, dict[str, bytes]])
        job.progress.note("an identical search was done before: its results are taken")
        for name, content in files.items():
            write_file(folder / name, content)
        return told
    with job.shelving():
        told = search_and_pack(job, identity, folder)
    if told.is_whole:
        paths = [path for path in folder.iterdir() if path.name != LOCK]
        files = {path.name: path.read_bytes() for path in paths}
        job.cache.put(key, msgspec.msgpack.encode((told, files)))
    return told


def search_and_pack(job: "Job", identity: "Identity", folder: Path) -> "Told":
    """Search, then write bundles, evidence and report into a folder."""
    from edgekit_converters.packing.pack import evidence_of, pack
    from edgekit_converters.report.page import to_html
    from edgekit_converters.report.told import tell_of
    from edgekit_converters.search.as_is import take_as_is
    from edgekit_converters.search.search import optimize
    from edgekit_converters.search.workbench import write_file

    result = take_as_is(job) if job.source.model is None else optimize(job)
    job.risks.rest()
    job.progress.start("packing", None)
    if job.source.model is not None:
        pack(result, result.clean, identity.baseline, folder)
    pack(result, result.chosen, identity, folder)
    write_file(folder / f"{identity.stem}.html", to_html(result).encode())
    write_file(folder / f"{identity.stem}.evidence.json", evidence_of(result))
    return tell_of(result)


def replay_and_pack(path: Path, job: "Job", identity: "Identity", folder: Path) -> "Told":
    """Make the chosen model of an earlier search again, and its bundle."""
    import msgspec

    from edgekit_converters.packing.pack import pack
    from edgekit_converters.report.told import Told
    from edgekit_converters.search.replay import as_it_was, read_evidence, replay

    evidence = read_evidence(path)
    job = as_it_was(evidence, job)
    job.progress.start(f"making {evidence.chosen} again", None)
    with job.shelving():
        result = replay(evidence, job)
    pack(result, result.chosen, identity, folder, evidence.content)
    line = f"Replayed: {evidence.chosen}, the same bytes as the search made."
    return Told("", [], [line], msgspec.json.decode(evidence.content))


@contextmanager
def telling() -> "Iterator[Progress]":
    """A bar on a terminal, plain lines on stderr elsewhere."""
    from edgekit_converters.progress import PlainLines, terminal_progress

    if sys.stderr.isatty():
        with terminal_progress() as progress:
            yield progress
    else:
        yield PlainLines(lambda line: print(line, file=sys.stderr, flush=True))


def tell(told: "Told", written: list[Path], *, as_json: bool) -> None:
    """Print what was found: a table and sentences, or one JSON object."""
    import json

    from edgekit_converters.report.table import print_table

    if as_json:
        found = {**told.evidence, "written": [str(path) for path in written]}
        print(json.dumps(found, ensure_ascii=False))
        return
    if told.rows:
        print_table(told.title, told.rows)
    for line in told.lines:
        print(line)
    for path in written:
        print(f"wrote {path}")
    if written and told.evidence.get("explanations"):
        print(f"Why the others failed: edgekit explain {written[0].parent}")


def size_bytes(text: str, flag: str) -> int:
    """`1GB` or `512MB` as bytes.

    Raises:
        UsageError: it is neither.
    """
    import re

    from edgekit.errors import UsageError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MG])i?B?", text.strip(), re.IGNORECASE)
    if found is None or not float(found[1]):
        raise UsageError(f"{flag} {text}", "it is no size", "write it like 1GB or 512MB")
    return int(float(found[1]) * {"M": 1e6, "G": 1e9}[found[2].upper()])
