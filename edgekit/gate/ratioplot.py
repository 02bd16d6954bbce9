"""Candidate over baselines, above what the baseline measured against itself: the noise floor."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.gate.svg import LEFT, WIDTH, drawing, label, log_axis, log_place
from edgekit.measure.recording import Ratio

TOP, ROW = 40, 44
FURTHEST = 3.0
"""Ratios beyond it, or below one over it, are drawn at the edge."""


@dataclass(frozen=True)
class Row:
    """One ratio of a plot.

    Attributes:
        name: of what over what.
        ratio: its figures.
        tone: CSS class of its colour.
    """

    name: str
    ratio: Ratio
    tone: str


def ratio_plot(rows: Sequence[Row], floor: Ratio | None, limit: float | None, title: str) -> str:
    """Ratios on one logarithmic axis: interval, estimate, and a small mark for each process.

    Args:
        rows: at least one.
        floor: the baseline over itself, shaded over all rows.
        limit: what is allowed, an upright line.
        title: what a screen reader calls it.
    """
    low, high = _domain(rows, limit)
    bottom = TOP + ROW * len(rows)

    def x(value: float) -> float:
        return log_place(min(max(value, low), high), low, high)

    parts = []
    if floor is not None:
        left, right = x(floor.low), x(floor.high)
        parts.append(
            f'<rect class="floor" x="{left:.1f}" y="{TOP - 14}" width="{right - left:.1f}" '
            f'height="{bottom - TOP + 14}"/>'
        )
    if limit is not None:
        parts.append(_upright(x(limit), TOP - 14, bottom, "limit"))
        parts.append(_beside(x(limit), TOP - 22, f"limit {limit:g}×"))
    for index, row in enumerate(rows):
        y = TOP + ROW * index + 26
        marks = "".join(_upright(x(each), y - 6, y + 6, "mark") for each in row.ratio.by_process)
        parts.append(
            f'<g class="{row.tone}">{label(LEFT, y - 14, row.name)}<line class="range" '
            f'x1="{x(row.ratio.low):.1f}" x2="{x(row.ratio.high):.1f}" y1="{y}" y2="{y}"/>'
            f'{marks}<circle cx="{x(row.ratio.point):.1f}" cy="{y}" r="5"/></g>'
        )
    parts += log_axis(low, high, bottom, "×")
    told = "; ".join(
        f"{row.name}: {row.ratio.point:.3f}, {row.ratio.low:.3f} to {row.ratio.high:.3f}"
        for row in rows
    )
    return drawing(bottom + 30, title, told, "".join(parts))


def _domain(rows: Sequence[Row], limit: float | None) -> tuple[float, float]:
    """From the lowest to the highest of what is drawn, and a little more on both sides."""
    shown = [v for row in rows for v in (row.ratio.low, row.ratio.high, *row.ratio.by_process)]
    shown = [min(max(value, 1 / FURTHEST), FURTHEST) for value in shown]
    shown += [1.0] if limit is None else [1.0, limit]
    return min(shown) / 1.01, max(shown) * 1.01


def _upright(x: float, top: float, bottom: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'


def _beside(x: float, y: float, text: str) -> str:
    """A label over a line, on the side where there is room."""
    return label(x, y, text, anchor="start" if x < WIDTH / 2 else "end")
