"""Small drawings as inline SVG. Colours are CSS variables of the page, see `page.py`.

Every drawing has a title and a description, so that a screen reader says what it shows. Labels
stay inside of their drawing and off each other, whatever the names are: `tests/pages.py`.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
LEFT, RIGHT = 20, WIDTH - 20
TICKS = 5
ANCHORS = ("start", "middle", "middle", "middle", "end")
"""Of the five ticks of an axis: those at its ends stay inside of the drawing."""

WIDEST = {**dict.fromkeys("WMwm@%&—…", 14.0), **dict.fromkeys("fijlrt.,:;!|/()[]' ", 6.5)}
CAPITAL, LETTER, FULL = 10.5, 9.0, 14.0
"""Widths in units of a drawing of 13-unit letters in a wide font, from above."""


@dataclass(frozen=True)
class Bar:
    """One line of an interval plot, in any unit, beside its limit.

    Attributes:
        label: what it is.
        low: lower end.
        point: the estimate.
        high: upper end.
        limit: what is allowed.
        tone: CSS class of the colour: `pass`, `fail` or `open`.
        text: why, in words.
        figures: value, interval and limit in words.
    """

    label: str
    low: float
    point: float
    high: float
    limit: float
    tone: str
    text: str
    figures: str = ""


def interval_plot(bars: Sequence[Bar], title: str) -> str:
    """Intervals one above the other, each with its limit as an upright line.

    Each line has its own scale, because limits have different units: as far as interval and limit
    reach, where a far end of an interval is cut.
    """
    row, top = 66, 4
    parts = [_bar(bar, top + row * index + 50) for index, bar in enumerate(bars)]
    described = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return drawing(top + row * len(bars) + 4, title, described, "".join(parts))


def _bar(bar: Bar, y: int) -> str:
    reach = 3 * max(abs(bar.limit), abs(bar.point))
    low, high = max(bar.low, -reach), min(bar.high, reach)
    first, last = min(low, bar.point, bar.limit), max(high, bar.point, bar.limit)
    margin = 0.12 * (last - first) or 0.1 * abs(last) or 1.0
    bottom, scale = first - margin, (RIGHT - LEFT) / (last - first + 2 * margin)

    def x(value: float) -> str:
        return f"{LEFT + (min(max(value, first), last) - bottom) * scale:.1f}"

    return (
        f'<g class="{bar.tone}">{label(LEFT, y - 34, bar.label)}'
        f"{label(LEFT, y - 16, bar.figures, 'quiet')}"
        f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>'
        f'<line class="range" x1="{x(low)}" x2="{x(high)}" y1="{y}" y2="{y}"/>'
        f'<circle cx="{x(bar.point)}" cy="{y}" r="5"/>'
        f'<line class="limit" x1="{x(bar.limit)}" x2="{x(bar.limit)}" y1="{y - 11}" y2="{y + 11}"/>'
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
    shares = {name: [n / max(sum(ns), 1) for n in ns] for name, ns in counts.items()}
    peak = max((share for each in shares.values() for share in each), default=0.0) or 1.0
    xs = [log_place(edge, edges[0], edges[-1]) for edge in edges]
    parts = []
    for index, (name, values) in enumerate(shares.items()):
        path = _steps(xs, [bottom - v / peak * (bottom - top) for v in values])
        parts.append(f'<path class="series{index}" d="M{xs[0]:.1f} {bottom}{path}V{bottom}Z"/>')
        parts.append(label(RIGHT, top + 18 * index, name, f"series{index}", anchor="end"))
    parts += log_axis(edges[0], edges[-1], bottom, f" {unit}")
    described = f"{', '.join(counts)}: from {edges[0]:.3g} to {edges[-1]:.3g} {unit}"
    return drawing(height, title, described, "".join(parts))


def _steps(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A staircase through (xs[i], ys[i]) to (xs[i + 1], ys[i])."""
    return "".join(f"V{y:.1f}H{right:.1f}" for y, right in zip(ys, xs[1:], strict=True))


def log_place(value: float, low: float, high: float) -> float:
    """Where a value stands on a logarithmic axis from low to high."""
    return LEFT + math.log(value / low) / (math.log(high / low) or 1.0) * (RIGHT - LEFT)


def log_axis(low: float, high: float, y: int, unit: str) -> list[str]:
    """An axis with five ticks, evenly spaced in the logarithm; the unit as it is to follow."""
    values = [low * (high / low) ** (index / (TICKS - 1)) for index in range(TICKS)]
    digits = 3 if high / low > 1.2 else 4
    parts = [f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>']
    for value, anchor in zip(values, ANCHORS, strict=True):
        x, text = log_place(value, low, high), f"{value:.{digits}g}{unit}"
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>')
        parts.append(label(x, y + 20, text, anchor=anchor))
    return parts


def label(x: float, y: float, text: str, tone: str = "", *, anchor: str = "start") -> str:
    """A line of text, cut where it would leave the drawing; whole for the pointer."""
    room = min(x, WIDTH - x) * 2 if anchor == "middle" else x if anchor == "end" else RIGHT - x
    shown = fitted(text, room)
    whole = f"<title>{escape(text)}</title>" if shown != text else ""
    kind = f' class="{tone}"' if tone else ""
    turned = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}"{turned}>{escape(shown)}{whole}</text>'


def fitted(text: str, room: float) -> str:
    """A text of at most some units of width, its middle left out where it is longer."""
    if _width(text) <= room:
        return text
    size = len(text)
    while size > 0 and _width(_shortened(text, size)) > room:
        size -= 1
    return _shortened(text, size)


def _shortened(text: str, size: int) -> str:
    half = size // 2
    return f"{text[: size - half]}…{text[len(text) - half :]}"


def _width(text: str) -> float:
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in WIDEST:
        return WIDEST[letter]
    if unicodedata.east_asian_width(letter) in "WF":
        return FULL
    return CAPITAL if letter.isupper() else LETTER


def drawing(height: int, title: str, described: str, content: str, role: str = "img") -> str:
    """The frame of a drawing, `WIDTH` wide; on a narrow screen it scrolls by itself.

    Its role is `group` where there are links in it.
    """
    return (
        f'<div class="wide"><svg viewBox="0 0 {WIDTH} {height}" role="{role}" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"<desc>{escape(described)}</desc>{content}</svg></div>"
    )
