"""What GitHub Actions shows of a gate: the job's summary and annotations on the run.

Only where `GITHUB_ACTIONS` is `true`. A summary over its size limit would be dropped whole, so it
is cut; annotations beyond ten of a kind are dropped, so the last of them says how many more.

Source: GitHub Docs, "Workflow commands for GitHub Actions".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edgekit.errors import StorageError
from edgekit.gate.files import append_file
from edgekit.gate.verdict import Outcome, Verdict

SUMMARY_BYTES = 1 << 20
"""Largest summary of one step, in UTF-8."""
MOST_ANNOTATIONS = 10
KINDS = {Outcome.FAIL: "error", Outcome.INCONCLUSIVE: "warning"}
CUT = "\n\n(cut here: a job summary holds 1 MiB; the whole report is in the gate's files)\n"


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether this runs as a step of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotations(title: str, verdicts: Sequence[Verdict]) -> list[str]:
    """Lines for stdout: an error for each FAIL, a warning for each INCONCLUSIVE, ten at most.

    Args:
        title: what was judged, such as a file name.
        verdicts: all of them; a PASS has no annotation.
    """
    told = sorted((v for v in verdicts if v.outcome in KINDS), key=_failures_first)
    if len(told) <= MOST_ANNOTATIONS:
        return [_annotation(title, verdict) for verdict in told]
    first = told[: MOST_ANNOTATIONS - 1]
    more = len(told) - len(first)
    last = f"::warning title={_property(title)}::{more} more limits are not kept: see the report"
    return [*(_annotation(title, verdict) for verdict in first), last]


def append_summary(path: Path, markdown: str) -> None:
    """Add markdown to the step's summary, as much of it as still fits.

    Args:
        path: the file that `GITHUB_STEP_SUMMARY` names.
        markdown: what to add.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        append_file(path, lambda taken, _: fitting(markdown, SUMMARY_BYTES - taken).encode())
    except OSError as error:
        problem = f"it cannot be written ({error.strerror})"
        raise StorageError(f"job summary {path.name!r}", problem, "check the runner") from error


def fitting(text: str, size_bytes: int) -> str:
    """A text, cut at the end of a line and marked as cut where it is longer than some bytes."""
    content = text.encode()
    if len(content) <= size_bytes:
        return text
    room = size_bytes - len(CUT.encode())
    if room < 0:
        return ""
    kept = content[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + CUT


def _failures_first(verdict: Verdict) -> bool:
    return verdict.outcome is not Outcome.FAIL


def _annotation(title: str, verdict: Verdict) -> str:
    title = _property(f"{title}: {verdict.budget} {verdict.outcome.value}")
    return f"::{KINDS[verdict.outcome]} title={title}::{_data(verdict.reason)}"


def _data(text: str) -> str:
    """A message: a line break would end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property: colon and comma would end it too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
