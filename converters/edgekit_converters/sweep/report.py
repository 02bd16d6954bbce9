"""What came of all searches: a row each, a verdict each, one exit code."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from edgekit.gate.page import page, table
from edgekit_converters.sweep.job import Outcome
from edgekit_converters.sweep.plan import Job

SCHEMA = 1
Verdict: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]
HEAD = ("job", "chosen", "drop (points)", "cost", "size", "verdict", "why")
TONES = {"PASS": "pass", "FAIL": "fail", "ERROR": "fail", "INCONCLUSIVE": "open"}
CODES = {"FAIL": 1, "ERROR": 2, "INCONCLUSIVE": 3}
"""The first of these that occurs is the exit code; 0 if none does."""


class Entry(Struct, frozen=True):
    """One search, judged.

    Attributes:
        job: its name.
        model: path of the trained model.
        target: what it was made for.
        max_drop: its budget.
        verdict: whether what was chosen meets every limit.
        why: in a sentence.
        chosen: the recipe; None where the search did not end well.
        size_bytes: of the model file.
        drop: of the score on the evaluation split, with its interval.
        cost: over that of the model that came, with its interval, as measured.
        report: path of its page, relative to the index.
        attempts: processes that it took.
    """

    job: str
    model: str
    target: str
    max_drop: float
    verdict: Verdict
    why: str
    attempts: int
    chosen: str | None = None
    size_bytes: int | None = None
    drop: dict[str, Any] | None = None
    cost: dict[str, Any] | None = None
    report: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """Under `HEAD`."""
        drop, cost, size = self.drop, self.cost, self.size_bytes
        return (
            self.job,
            self.chosen or "–",
            "–" if drop is None else _interval(drop, "point", 100, ""),
            "–" if cost is None else f"{_interval(cost, 'ratio', 1, '×')} {cost['kind']}",
            "–" if size is None else f"{size / 1e6:.3g} MB",
            self.verdict,
            self.why,
        )


def judged(job: Job, outcome: Outcome) -> Entry:
    """A search's result against every limit."""
    head = (job.name, job.wish.model, job.target, job.max_drop)
    if outcome.found is None:
        return Entry(*head, "ERROR", outcome.problem, outcome.attempts)
    chosen = next(
        each for each in outcome.found["candidates"] if each["recipe"] == outcome.found["chosen"]
    )
    verdict, why = _verdict(job, chosen)
    return Entry(
        *head,
        verdict,
        why,
        outcome.attempts,
        chosen["recipe"],
        chosen["size_bytes"],
        (chosen["evaluation"] or {}).get("drop"),
        chosen["cost"],
        f"{job.name}/{job.stem}.html",
    )


def exit_code(entries: Sequence[Entry]) -> int:
    """0 if every search met its budget; as a gate's otherwise, violations first."""
    found = {entry.verdict for entry in entries}
    return next((code for verdict, code in CODES.items() if verdict in found), 0)


def as_json(entries: Sequence[Entry]) -> bytes:
    """Everything, for machines."""
    told = {"schema": SCHEMA, "exit_code": exit_code(entries), "jobs": entries}
    return msgspec.json.encode(told)


def to_html(title: str, entries: Sequence[Entry]) -> str:
    """An index with a link to each search's own page."""
    body = []
    for entry in entries:
        cells = [escape(cell) for cell in entry.cells]
        if entry.report is not None:
            cells[0] = f'<a href="{escape(entry.report)}">{cells[0]}</a>'
        tone, place = TONES[entry.verdict], HEAD.index("verdict")
        cells[place] = f'<span class="verdict {tone}">{cells[place]}</span>'
        body.append(cells)
    met = sum(entry.verdict == "PASS" for entry in entries)
    heading = f"<h1>{escape(title)}: {met} of {len(entries)} met their budget</h1>"
    caption = "Drop and cost against the model that came, on evaluation; ranges are 95 % intervals"
    return page(title, [heading, table(caption, HEAD, body)])


def _verdict(job: Job, chosen: dict[str, Any]) -> tuple[Verdict, str]:
    findings = list(_findings(job, chosen))
    for verdict in ("FAIL", "INCONCLUSIVE"):
        why = "; ".join(text for found, text in findings if found == verdict)
        if why:
            return verdict, why
    return "PASS", str(chosen["why"])


def _findings(job: Job, chosen: dict[str, Any]) -> Iterator[tuple[Verdict, str]]:
    """What speaks against it."""
    wish, cost = job.wish, chosen["cost"]
    drop = (chosen["evaluation"] or {}).get("drop")
    if drop is not None and drop["upper" if wish.certify else "point"] > job.max_drop:
        yield "FAIL", f"the score drops by more than {job.max_drop * 100:g} points"
    if wish.max_mb is not None and chosen["size_bytes"] > wish.max_mb * 1e6:
        yield "FAIL", f"the model file is larger than {wish.max_mb:g} MB"
    if wish.max_ratio is None:
        return
    if cost is None:
        # the model as it came costs what it costs
        verdict: Verdict = "PASS" if wish.max_ratio >= 1 else "FAIL"
        yield verdict, f"nothing cheaper was found, the limit is {wish.max_ratio:g}"
    elif cost["low"] > wish.max_ratio:
        yield "FAIL", f"its cost ratio is over {wish.max_ratio:g}"
    elif cost["high"] > wish.max_ratio:
        yield "INCONCLUSIVE", f"its cost ratio may be over {wish.max_ratio:g} or not"


def _interval(found: dict[str, Any], point: str, scale: float, unit: str) -> str:
    low, high = found["low"] * scale, found["high"] * scale
    return f"{found[point] * scale:.2f}{unit} [{low:.2f}, {high:.2f}]"
