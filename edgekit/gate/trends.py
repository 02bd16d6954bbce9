"""Trends over stored verdicts: series with the change points that were found in them."""

from typing import Any

import msgspec
from msgspec import Struct

from edgekit.changes import change_points
from edgekit.gate import words
from edgekit.gate.history import History
from edgekit.gate.redact import redact
from edgekit.gate.series import Series, Source, series_of

SCHEMA = 1
ALPHA = 0.01
"""Probability that a history without any change shows one, over all of its series."""


class Mark(Struct, frozen=True, omit_defaults=True):
    """A change of level.

    Attributes:
        index: of the first point of the new level.
        created: when that gate was.
        before: median of the points since the change before it.
        after: median of the points until the next change.
        p_value: of the permutation test.
        commit: that gate's.
        last_before: commit of the gate before it: the change lies between the two.
    """

    index: int
    created: str
    before: float
    after: float
    p_value: float
    commit: str | None = None
    last_before: str | None = None


class Trend(Struct, frozen=True):
    """A series and its changes."""

    series: Series
    changes: tuple[Mark, ...]


class Trends(Struct, frozen=True):
    """All of them. The JSON Schema of this is docs/schemas/history-1.json.

    Attributes:
        schema: version of this format.
        gates: how many verdicts were read.
        alpha: probability that a change is found anywhere though there is none.
        trends: one for each series.
        problems: what could not be read.
    """

    schema: int
    gates: int
    alpha: float
    trends: tuple[Trend, ...]
    problems: tuple[str, ...]


def find_trends(history: History, alpha: float = ALPHA) -> Trends:
    """Look for changes in every series.

    Args:
        history: what was stored.
        alpha: shared by all series that change at all, so that more figures do not find more.
    """
    found = series_of(history.reports)
    moving = sum(len({point.value for point in series.points}) > 1 for series in found)
    each = alpha / max(moving, 1)
    trends = tuple(Trend(series, _marks(series, each)) for series in found)
    problems = tuple(redact(problem) for problem in history.problems)
    return Trends(SCHEMA, len(history.reports), alpha, trends, problems)


def _marks(series: Series, alpha: float) -> tuple[Mark, ...]:
    points = series.points
    return tuple(
        Mark(
            index=change.at,
            created=points[change.at].created,
            before=change.before,
            after=change.after,
            p_value=change.p_value,
            commit=points[change.at].commit,
            last_before=points[change.at - 1].commit,
        )
        for change in change_points([point.value for point in points], alpha=alpha)
    )


def to_json(trends: Trends) -> bytes:
    """One object, on one line."""
    return msgspec.json.encode(trends, order="sorted")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `edgekit gate history --json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"edgekit gate history, schema {SCHEMA}",
        **msgspec.json.schema(Trends),
    }


def to_text(trends: Trends) -> str:
    """A table for each source, a line for each figure that was seen twice or more."""
    lines: list[str] = []
    source, width = None, 0
    for trend in repeated(trends):
        if trend.series.source != source:
            source = trend.series.source
            lines += ["", heading(trend.series), *_conditions(trend.series)]
            width = _width(trends, source)
            lines.append(f"  {'figure':{width}} {'gates':>5} {'first':>14} {'last':>14}  changes")
        lines.append(_line(trend, width))
    once = len(trends.trends) - len(repeated(trends))
    if once:
        lines += ["", f"{once} figures were seen once, which is no trend."]
    lines.append(summary(trends))
    return "\n".join(lines).lstrip("\n")


def repeated(trends: Trends) -> list[Trend]:
    """The trends of more than one point."""
    return [trend for trend in trends.trends if len(trend.series.points) > 1]


def heading(series: Series) -> str:
    """What a series belongs to, in short."""
    source = series.source
    return source.candidate + (f" on {source.device}" if source.device else "")


def _conditions(series: Series) -> list[str]:
    conditions = series.source.conditions
    return ["  " + " · ".join(conditions)] if conditions else []


def _width(trends: Trends, source: Source) -> int:
    return max(len(t.series.figure) for t in repeated(trends) if t.series.source == source)


def _line(trend: Trend, width: int) -> str:
    series, points = trend.series, trend.series.points
    first, last = (words.number(point.value, series.unit) for point in (points[0], points[-1]))
    changes = "; ".join(in_words(mark, series.unit) for mark in trend.changes) or "none"
    return f"  {series.figure:{width}} {len(points):5} {first:>14} {last:>14}  {changes}"


def in_words(mark: Mark, unit: str) -> str:
    """A change with its size, place and p value."""
    before, after = words.number(mark.before, unit), words.number(mark.after, unit)
    share = f" ({mark.after / mark.before - 1:+.1%})" if mark.before else ""
    commit = f", commit {mark.commit[:12]}" if mark.commit else ""
    return f"{before} → {after}{share} from {mark.created}{commit} (p = {mark.p_value:.2g})"


def summary(trends: Trends) -> str:
    """How much was looked at, and what was found."""
    found = sum(len(trend.changes) for trend in trends.trends)
    return (
        f"{trends.gates} gates, {len(repeated(trends))} series, {found} changes of level; one is "
        f"found by chance in at most {trends.alpha:.2%} of histories that have none."
    )
