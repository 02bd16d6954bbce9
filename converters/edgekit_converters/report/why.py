"""Explanations in words, for the terminal: a table where there is one, plain lines in CI."""

from collections.abc import Iterator, Sequence

from edgekit_converters.explain.explanation import Explanation, LayerBar

HEAD = ("candidate", "failed", "starts at", "cause")
MOST_LAYERS = 8


def print_table(title: str, found: Sequence[Explanation]) -> None:
    """One row for each explanation, on a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in HEAD:
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(each.recipe, f"{each.verdict}: {each.symptom}", place_of(each), each.cause)
    Console().print(table, markup=False)


def lines(found: Sequence[Explanation]) -> Iterator[str]:
    """What each explanation says, as plain text."""
    for each in found:
        yield f"{each.recipe}: {each.verdict}, {each.symptom}"
        told = [
            ("starts at", place_of(each)),
            ("cause", each.cause),
            ("proof", each.proof),
            *(("tried", f"{a.recipe}: {a.verdict}, {a.gave}") for a in each.tried),
            ("", f"and {each.further} more, none nearer" if each.further else ""),
            ("fix", each.fix),
        ]
        yield from (f"  {name:9}  {text}" for name, text in told if text)


def layer_lines(found: Explanation) -> Iterator[str]:
    """The layers with the largest errors of their own, worst first."""
    own = [layer for layer in found.layers if layer.own_db is not None and layer.is_quantized]
    for layer in sorted(own, key=_own)[:MOST_LAYERS]:
        number = "" if layer.index is None else f" {layer.index}"
        told = f"own {_db(layer.own_db)}, accumulated {_db(layer.accumulated_db)}"
        if layer.weights_db is not None:
            told += f", weights {_db(layer.weights_db)}, inputs {_db(layer.activations_db)}"
        yield f"  {layer.operator}{number} {layer.node}: {told}"


def place_of(found: Explanation) -> str:
    """`Conv 4 /encoder/3/Conv`: operator, what `keep` counts, node."""
    number = "" if found.index is None else f" {found.index}"
    return f"{found.operator}{number} {found.node}".strip()


def _own(layer: LayerBar) -> float:
    return layer.own_db if layer.own_db is not None else 0.0


def _db(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} dB"
