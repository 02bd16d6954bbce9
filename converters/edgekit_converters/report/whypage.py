"""Explanations as sections of the report: facts, layers as bars, values before and after."""

from collections.abc import Mapping, Sequence
from html import escape

from edgekit.gate.page import table
from edgekit_converters.explain.causes import UNEXPLAINED
from edgekit_converters.explain.explanation import BeforeAfter, Explanation, LayerBar
from edgekit_converters.report.overlay import overlay
from edgekit_converters.report.why import place_of
from edgekit_converters.sensitivity.closeness import PERFECT_DB

MOST_DB = 60.0
"""A bar of full length: better than 8 bits give."""
LAYER_HEAD = ("layer", "operator", "number", "own dB", "accumulated dB", "inputs dB", "weights dB")


def why_sections(found: Sequence[Explanation], shared: Mapping[str, str]) -> str:
    """All explanations, with links to each; empty where there are none.

    Args:
        found: one for each arithmetic that failed.
        shared: failed candidates and whose explanation is theirs.
    """
    if not found:
        return ""
    links = "".join(
        f'<a href="#why-{escape(each.recipe)}">{escape(each.recipe)}: {escape(each.cause)}</a>'
        for each in found
    )
    return (
        '<h2 id="why">Why candidates failed</h2><p class="quiet">dB of signal over noise against '
        "fp32: 40 is what 8 bits usually give, 20 an error of a tenth, 0 as much noise as signal."
        f'</p><nav class="reasons" aria-label="Explanations">{links}</nav>'
        + "".join(_section(each, shared) for each in found)
    )


def _section(found: Explanation, shared: Mapping[str, str]) -> str:
    name = escape(found.recipe)
    others = [each for each, by in shared.items() if by == found.recipe and each != found.recipe]
    tone = "open" if found.cause == UNEXPLAINED else "fail"
    facts = [
        ("failed", escape(f"{found.verdict}: {found.symptom}")),
        ("starts at", escape(place_of(found))),
        ("cause", f'<span class="verdict {tone}">{escape(found.cause)}</span>'),
        ("proof", escape(found.proof)),
        ("tried", _tried(found)),
        ("fix", escape(found.fix)),
        ("likewise", escape(", ".join(others))),
    ]
    listed = "".join(f"<dt>{title}</dt><dd>{text}</dd>" for title, text in facts if text)
    return (
        f'<section class="why" id="why-{name}" aria-labelledby="of-{name}">'
        f'<h3 id="of-{name}">{name}</h3><dl class="facts">{listed}</dl>'
        f"{_layers(found)}{_tensors(found.tensors)}{_times(found)}</section>\n"
    )


def _tried(found: Explanation) -> str:
    told = [escape(f"{each.recipe}: {each.verdict}, {each.gave}") for each in found.tried]
    if found.further:
        told.append(f"and {found.further} more, none nearer")
    return "<br>".join(told)


def _layers(found: Explanation) -> str:
    if not found.layers:
        return ""
    head = "".join(f'<th scope="col">{title}</th>' for title in LAYER_HEAD)
    body = "".join(_layer(each, is_start=each.node == found.node) for each in found.layers)
    caption = "Own: rounded by itself, fed by the float model. Accumulated: in the whole candidate."
    return (
        f'<h4>Layers</h4><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Layers of {escape(found.recipe)}"><table class="layers">'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _layer(layer: LayerBar, *, is_start: bool) -> str:
    mark = ' class="start"' if is_start else ""
    told = " (the error starts here)" if is_start else ""
    number = "–" if layer.index is None else str(layer.index)
    numbers = (layer.own_db, layer.accumulated_db, layer.activations_db, layer.weights_db)
    kept = "" if layer.is_quantized else " (float)"
    return (
        f'<tr{mark}><th scope="row">{escape(layer.node)}{told}</th>'
        f"<td>{escape(layer.operator)}{kept}</td>"
        f'<td data-value="{"" if layer.index is None else layer.index}">{number}</td>'
        f"{''.join(map(_bar, numbers))}</tr>\n"
    )


def _bar(db: float | None) -> str:
    if db is None:
        return '<td data-value="">–</td>'
    width = min(max(db, 0.0), MOST_DB)
    tone = "fail" if db < 10 else "open" if db < 20 else "pass"
    told = "exact" if db >= PERFECT_DB else f"{db:.1f}"
    return (
        f'<td data-value="{db:.2f}"><span class="bar {tone}" style="width:{width:.0f}px"></span>'
        f"{told}</td>"
    )


def _tensors(found: Sequence[BeforeAfter]) -> str:
    if not found:
        return ""
    return "<h4>Values before and after</h4>" + "".join(map(overlay, found))


def _times(found: Explanation) -> str:
    if not found.after_us:
        return ""
    names = sorted(
        found.before_us | found.after_us,
        key=lambda name: -max(found.before_us.get(name, 0.0), found.after_us.get(name, 0.0)),
    )
    body = [
        [
            escape(name),
            *(f"{each.get(name, 0.0):.1f}" for each in (found.before_us, found.after_us)),
        ]
        for name in names
    ]
    caption = "Microseconds of each type of operator, as onnxruntime's profile says, one thread"
    return "<h4>Time by operator</h4>" + table(caption, ("operator", "fp32", found.recipe), body)
