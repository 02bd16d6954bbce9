"""One figure over many gates, with its levels and where they moved."""

from collections.abc import Callable

from edgekit.gate import words
from edgekit.gate.svg import LEFT, RIGHT, drawing, label
from edgekit.gate.trends import Trend, in_words
from edgekit.gate.verdict import Outcome

TOP, BOTTOM, HEIGHT = 30, 160, 190
TONES = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.INCONCLUSIVE: "open"}

Place = Callable[[float], float]


def trend_plot(trend: Trend, title: str) -> str:
    """Points in order, coloured by their gate's verdict; levels as bars, changes as uprights.

    Args:
        trend: of two points at least.
        title: what a screen reader calls it.
    """
    series, points = trend.series, trend.series.points
    values = [point.value for point in points]
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.01 or 1.0
    low, high = low - margin, high + margin

    def x(index: float) -> float:
        return LEFT + 10 + index / (len(points) - 1) * (RIGHT - LEFT - 20)

    def y(value: float) -> float:
        return BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)

    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>',
        label(LEFT, TOP - 12, f"up to {words.number(max(values), series.unit)}", "quiet"),
        label(RIGHT, TOP - 12, f"down to {words.number(min(values), series.unit)}", "quiet",
              anchor="end"),
        label(LEFT, BOTTOM + 20, points[0].created[:16]),
        label(RIGHT, BOTTOM + 20, points[-1].created[:16], anchor="end"),
        *_levels(trend, x, y),
        *(f'<g class="{TONES[point.outcome]}"><circle cx="{x(index):.1f}" '
          f'cy="{y(point.value):.1f}" r="3"/></g>' for index, point in enumerate(points)),
    ]  # fmt: skip
    told = "; ".join(in_words(mark, series.unit) for mark in trend.changes) or "no change of level"
    return drawing(HEIGHT, title, f"{len(points)} gates: {told}", "".join(parts))


def _levels(trend: Trend, x: Place, y: Place) -> list[str]:
    """A bar for each level, where there are several, and an upright line between two."""
    marks, last = trend.changes, len(trend.series.points) - 1
    if not marks:
        return []
    edges = [0.0, *(mark.index - 0.5 for mark in marks), float(last)]
    levels = [marks[0].before, *(mark.after for mark in marks)]
    bars = [
        f'<line class="level" x1="{x(a):.1f}" x2="{x(b):.1f}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        for a, b, v in zip(edges, edges[1:], levels, strict=False)
    ]
    uprights = [
        f'<line class="limit" x1="{x(edge):.1f}" x2="{x(edge):.1f}" y1="{TOP}" y2="{BOTTOM}"/>'
        for edge in edges[1:-1]
    ]
    return bars + uprights
