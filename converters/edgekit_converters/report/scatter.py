"""Cost against drop, every measured candidate a dot: inline SVG in the page's colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from edgekit.gate.svg import drawing
from edgekit_converters.explain.explain import FAILED
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.search import SearchResult
from edgekit_converters.search.tried import family

HEIGHT = 300
LEFT, RIGHT, TOP, BOTTOM = 60, 620, 20, 250


@dataclass(frozen=True)
class Dot:
    """One candidate.

    Attributes:
        label: its recipe.
        ratio: cost over fp32.
        points: hundredths of the score lost.
        tone: CSS class: `pass` for the chosen one, `open` in budget, `fail` over it.
        link: id of the part of the page that tells more.
    """

    label: str
    ratio: float
    points: float
    tone: str
    link: str = ""


def dots(result: SearchResult) -> list[Dot]:
    """The model that came at (1, 0) and every candidate with a cost and a score."""
    base = result.baseline
    names = explained_by(result)
    tone = "pass" if result.chosen == base else "open"
    found = [Dot(base.recipe.name, 1.0, 0.0, tone, row_id(base.recipe.name))]
    for each in result.candidates:
        if each.cost is not None and each.judged is not None:
            points = each.judged.drop.point * 100
            inside = each.judged.drop.point <= result.job.goal.max_drop
            tone = "pass" if each.verdict == "chosen" else "open" if inside else "fail"
            name = each.recipe.name
            link = f"why-{names[name]}" if name in names else row_id(name)
            found.append(Dot(name, each.cost.ratio, points, tone, link))
    return found


def row_id(recipe: str) -> str:
    """Of a candidate's row in the table."""
    return f"row-{recipe}"


def explained_by(result: SearchResult) -> dict[str, str]:
    """For failed candidates, whose explanation is theirs too: that of the plainest relative."""
    explained = {parse(each.recipe): each.recipe for each in result.explanations}
    kin = {family(recipe): name for recipe, name in reversed(explained.items())}
    return {
        each.recipe.name: explained.get(each.recipe, kin.get(family(each.recipe), ""))
        for each in result.candidates
        if each.verdict in FAILED and family(each.recipe) in kin
    }


def scatter(found: Sequence[Dot], limit: float, title: str, front: Sequence[str] = ()) -> str:
    """The drawing.

    Args:
        found: at least one dot. Drops of more than five limits are drawn at the edge.
        limit: hundredths of the score that may be lost; a line.
        title: what a screen reader calls it.
        front: labels of the dots that no other beats in both, the cheapest first; a line.
    """
    highest = max(5 * limit, 1.0)
    lowest = min(0.0, *(dot.points for dot in found))
    widest = max(1.1, *(min(dot.ratio, 2.0) for dot in found))

    def x(ratio: float) -> float:
        return LEFT + min(ratio, widest) / widest * (RIGHT - LEFT)

    def y(points: float) -> float:
        inside = min(max(points, lowest), highest)
        return BOTTOM - (inside - lowest) / (highest - lowest) * (BOTTOM - TOP)

    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>',
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{BOTTOM}"/>',
        f'<line class="limit" x1="{LEFT}" x2="{RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>',
        f'<line class="axis" x1="{x(1):.1f}" x2="{x(1):.1f}" y1="{TOP}" y2="{BOTTOM}"/>',
        _text(LEFT, BOTTOM + 34, "latency over fp32; the upright line is fp32"),
        _text(LEFT + 6, y(limit) - 6, f"limit: {limit:g} points lost"),
        *(_tick(x(value), value) for value in (0.25, 0.5, 0.75, 1.0) if value <= widest),
        _front(
            [(x(dot.ratio), y(dot.points)) for name in front for dot in found if dot.label == name]
        ),
        *(_dot(x(dot.ratio), y(dot.points), dot) for dot in found),
    ]
    told = "; ".join(f"{d.label}: {d.ratio:.2f} of fp32, {d.points:.2f} points" for d in found)
    return drawing(HEIGHT, title, told, "".join(parts), role="group")


def _dot(x: float, y: float, dot: Dot) -> str:
    told = f"{dot.label}: {dot.ratio:.2f}× of fp32, {dot.points:.2f} points lost"
    shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"><title>{escape(told)}</title></circle>'
    if not dot.link:
        return f'<g class="{dot.tone}">{shape}</g>'
    link, about = escape(dot.link), escape(told)
    return f'<a class="dot {dot.tone}" href="#{link}" aria-label="{about}">{shape}</a>'


def _front(points: Sequence[tuple[float, float]]) -> str:
    if len(points) < 2:
        return ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="front" d="M{path}"/>'


def _tick(x: float, value: float) -> str:
    return f'<text x="{x:.1f}" y="{BOTTOM + 16}" text-anchor="middle">{value:g}×</text>'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
