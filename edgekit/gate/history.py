"""Stored verdicts: folders of `gate.json` files, and files of JSON lines that are appended to.

A line of a history is a gate report as `gate.json` holds it, without its line breaks: one gate, one
line, one schema. What cannot be read is left out and named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import msgspec

from edgekit.errors import StorageError, UsageError
from edgekit.gate.files import append_file
from edgekit.gate.report import SCHEMA, GateReport, from_json

LINES = ".jsonl"
LARGEST_BYTES = 16 << 20
"""Of one report: a larger one is none of ours, and would be read whole."""

Content = tuple[str, bytes | str]
"""Where a report may be, and its bytes or why they cannot be read."""


@dataclass(frozen=True)
class History:
    """What was read.

    Attributes:
        reports: in order, none twice.
        problems: a line for each file or line that was left out.
    """

    reports: tuple[GateReport, ...]
    problems: tuple[str, ...]


def append(path: Path, report: GateReport) -> None:
    """Add a gate to a history: all of its line or nothing.

    Raises:
        StorageError: the file cannot be written or the disk is full.
    """
    line = msgspec.json.encode(report, order="sorted") + b"\n"
    try:  # what another program left unfinished stays a line of its own
        append_file(path, lambda _, ends: line if ends else b"\n" + line)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror})"
        way_out = "check folder and space"
        raise StorageError(f"history {str(path)!r}", problem, way_out) from error


def read_history(paths: Sequence[Path], commits: Sequence[str] = ()) -> History:
    """Read every report below some folders and in some files.

    Args:
        paths: folders, searched for `*.json` and `*.jsonl` to any depth, and such files.
        commits: oldest first, as `git rev-list --reverse HEAD` prints them. Where given, they are
            the order, and reports of other commits are left out; else time is.

    Raises:
        StorageError: a path is not there, or there is no report at all.
    """
    found: dict[bytes, GateReport] = {}
    problems: list[str] = []
    for place, content in chain.from_iterable(map(_contents, paths)):
        try:
            report = _parse(content)
        except ValueError as error:
            problems.append(f"{place}: {error}; left out")
        else:
            found[msgspec.json.encode(report, order="sorted")] = report
    if not found:
        read = f"{len(problems)} of them unreadable" if problems else "no file at all"
        problem = f"no gate report is there ({read})"
        way_out = "write some: edgekit gate … --json FILE or --history FILE"
        raise StorageError(f"history {', '.join(map(str, paths))}", problem, way_out)
    reports, unlisted = _ordered(list(found.values()), commits)
    if unlisted:
        problems.append(f"{unlisted} reports are of no commit in the list; left out")
    return History(reports, tuple(problems))


def read_commits(path: Path) -> list[str]:
    """The commits of a list, one a line.

    Raises:
        StorageError: it cannot be read.
        UsageError: it lists none.
    """
    try:
        commits = path.read_text("utf8", errors="replace").split()
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise StorageError(f"commits {str(path)!r}", problem, "check the path") from error
    if not commits:
        way_out = "write one: git rev-list --reverse HEAD"
        raise UsageError(f"commits {str(path)!r}", "it lists none", way_out)
    return commits


def _contents(path: Path) -> Iterator[Content]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json*")):
            if file.suffix in (".json", LINES) and file.is_file():
                yield from _contents(file)
    elif not path.exists():
        raise StorageError(f"history {str(path)!r}", "it is not there", "check the path")
    elif path.suffix == LINES:
        yield from _lines(path)
    else:
        yield str(path), _read(path)


def _lines(path: Path) -> Iterator[Content]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LARGEST_BYTES + 1):
                number += 1
                if line.strip():
                    yield f"{path}, line {number}", line
    except OSError as error:
        yield str(path), f"it cannot be read ({error.strerror})"


def _read(path: Path) -> bytes | str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"


def _parse(content: bytes | str) -> GateReport:
    """One report.

    Raises:
        ValueError: it is none, with the reason.
    """
    if isinstance(content, str):
        raise ValueError(content)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it has more than {LARGEST_BYTES >> 20} MiB")
    try:
        about = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        schema = msgspec.json.decode(about.get("schema", msgspec.Raw(b"null")))
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r}, this edgekit reads {SCHEMA}")
        report = from_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it is no gate report ({error})") from error
    moment(report)
    return report


def moment(report: GateReport) -> datetime:
    """When it was made.

    Raises:
        ValueError: it does not say.
    """
    try:
        when = datetime.fromisoformat(report.created)
    except ValueError:
        raise ValueError(f"its time is {report.created!r}, which is none") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _ordered(
    reports: list[GateReport], commits: Sequence[str]
) -> tuple[tuple[GateReport, ...], int]:
    """In order, and how many were left out."""
    places = {commit: place for place, commit in enumerate(commits)}
    kept = [r for r in reports if not commits or r.commit in places]
    kept.sort(key=lambda r: (places.get(r.commit or "", 0), moment(r)))
    return tuple(kept), len(reports) - len(kept)
