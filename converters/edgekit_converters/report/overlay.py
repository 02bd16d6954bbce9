"""A tensor's values in fp32 and in a candidate, one histogram over the other."""

import math
from collections.abc import Sequence

from edgekit.gate.svg import ANCHORS, LEFT, RIGHT, drawing, label
from edgekit_converters.explain.explanation import BeforeAfter

HEIGHT, TOP, BOTTOM = 210, 46, 170


def overlay(found: BeforeAfter) -> str:
    """The drawing: outlines of both, counts on a logarithmic scale."""
    peak = math.log1p(max((*found.before, *found.after, 1)))
    step = f", in steps of {found.step:.3g}" if found.step else ""
    parts = [label(LEFT, 16, f"{found.tensor}{step}")]
    for index, (name, counts) in enumerate((("fp32", found.before), ("candidate", found.after))):
        parts.append(f'<path class="series{index}" d="{_outline(counts, peak)}"/>')
        parts.append(label(RIGHT - 90 * (1 - index), 38, name, f"series{index}", anchor="end"))
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>')
    for place, anchor in enumerate(ANCHORS):
        share = place / (len(ANCHORS) - 1)
        value = found.low + share * (found.high - found.low)
        parts.append(
            label(LEFT + share * (RIGHT - LEFT), BOTTOM + 20, f"{value:.3g}", anchor=anchor)
        )
    filled = [sum(1 for n in counts if n) for counts in (found.before, found.after)]
    told = (
        f"{found.tensor} from {found.low:.3g} to {found.high:.3g}: fp32 fills {filled[0]} of "
        f"{len(found.before)} bins, the candidate {filled[1]}"
    )
    return drawing(HEIGHT, f"Values of {found.tensor} before and after", told, "".join(parts))


def _outline(counts: Sequence[int], peak: float) -> str:
    width = (RIGHT - LEFT) / len(counts)
    path = [f"M{LEFT} {BOTTOM}"]
    for place, count in enumerate(counts):
        y = BOTTOM - math.log1p(count) / peak * (BOTTOM - TOP)
        path.append(f"V{y:.1f}H{LEFT + (place + 1) * width:.1f}")
    return "".join(path) + f"V{BOTTOM}Z"
