"""Small drawings as inline SVG. Colours are CSS variables of the page, see `page.py`.

Every drawing has a title and a description, so that a screen reader says what it shows.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
ANCHORS = ("start", "middle", "middle", "middle", "end")
"""Of the five ticks of an axis: those at its ends stay inside of the drawing."""


@dataclass(frozen=True)
class Bar:
    """One line of an interval plot, in any unit; drawn relative to its limit.

    Attributes:
        label: what it is.
        low: lower end.
        point: the estimate.
        high: upper end.
        limit: what is allowed.
        tone: CSS class of the colour: `pass`, `fail` or `open`.
        text: the figures in words.
    """

    label: str
    low: float
    point: float
    high: float
    limit: float
    tone: str
    text: str


def interval_plot(bars: Sequence[Bar], title: str) -> str:
    """Intervals one above the other, each with its limit as a tick.

    Each line has its own scale, from 0 (or the lower end) to a little beyond the largest of
    interval and limit, because limits have different units.
    """
    row, top, left = 50, 4, 20
    height = top + row * len(bars) + 4
    parts = [_bar(bar, top + row * index + 34, left) for index, bar in enumerate(bars)]
    described = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return _svg(height, title, described, "".join(parts))


def _bar(bar: Bar, y: int, left: int) -> str:
    bottom = min(0.0, bar.low, bar.limit)
    reach = max(bar.limit, min(bar.high, 3 * max(abs(bar.limit), abs(bar.point))), bar.point)
    scale = (WIDTH - left - 20) / ((reach - bottom) * 1.08 or 1.0)

    def x(value: float) -> str:
        return f"{left + (min(max(value, bottom), reach) - bottom) * scale:.1f}"

    return (
        f'<g class="{bar.tone}"><text x="{left}" y="{y - 16}">{escape(bar.label)}</text>'
        f'<line class="axis" x1="{left}" x2="{WIDTH - 12}" y1="{y}" y2="{y}"/>'
        f'<line class="range" x1="{x(bar.low)}" x2="{x(bar.high)}" y1="{y}" y2="{y}"/>'
        f'<circle cx="{x(bar.point)}" cy="{y}" r="5"/>'
        f'<line class="limit" x1="{x(bar.limit)}" x2="{x(bar.limit)}" y1="{y - 12}" y2="{y + 12}"/>'
        f"</g>"
    )


def histogram(
    edges: Sequence[float], counts: Mapping[str, Sequence[int]], title: str, unit: str
) -> str:
    """Outlines of distributions over the same bins, on a logarithmic axis.

    Args:
        edges: bounds of the bins, above 0, rising, one more than counts.
        counts: how many fell into each bin, by series; drawn as shares of their series.
        title: what it shows.
        unit: of the edges.
    """
    height, top, bottom = 220, 24, 180
    low, high = math.log(edges[0]), math.log(edges[-1])

    def x(value: float) -> float:
        return 20 + (math.log(value) - low) / (high - low or 1.0) * (WIDTH - 40)

    shares = {name: [n / max(sum(ns), 1) for n in ns] for name, ns in counts.items()}
    peak = max((share for each in shares.values() for share in each), default=0.0) or 1.0
    parts = []
    for index, (name, values) in enumerate(shares.items()):
        path = _steps([x(e) for e in edges], [bottom - v / peak * (bottom - top) for v in values])
        base = f"M{x(edges[0]):.1f} {bottom}"
        parts.append(f'<path class="series{index}" d="{base}{path}V{bottom}Z"/>')
        parts.append(
            f'<text class="series{index}" x="{WIDTH - 20}" y="{top + 18 * index}" '
            f'text-anchor="end">{escape(name)}</text>'
        )
    marks = zip(_ticks(edges[0], edges[-1]), ANCHORS, strict=True)
    parts += [_tick(x(value), bottom, f"{value:.3g} {unit}", anchor) for value, anchor in marks]
    parts.append(f'<line class="axis" x1="20" x2="{WIDTH - 20}" y1="{bottom}" y2="{bottom}"/>')
    described = f"{', '.join(counts)}: from {edges[0]:.3g} to {edges[-1]:.3g} {unit}"
    return _svg(height, title, described, "".join(parts))


def _steps(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A staircase through (xs[i], ys[i]) to (xs[i + 1], ys[i])."""
    return "".join(f"V{y:.1f}H{right:.1f}" for y, right in zip(ys, xs[1:], strict=True))


def _tick(x: float, bottom: int, text: str, anchor: str) -> str:
    return (
        f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Five values evenly spaced on a logarithmic axis."""
    step = math.log(high / low) / 4
    return [low * math.exp(step * index) for index in range(5)]


def _svg(height: int, title: str, described: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc>{content}</svg>"
    )
