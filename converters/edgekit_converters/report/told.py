"""What a search has to say at its end: a table, sentences, and everything as JSON."""

from typing import Any

from msgspec import Struct

from edgekit_converters.packing.evidence import as_builtins
from edgekit_converters.report.rows import Row, rows, summary
from edgekit_converters.search.search import SearchResult


class Told(Struct, frozen=True):
    """Ready to print.

    Attributes:
        title: of the table.
        rows: one for each candidate.
        lines: what was found, in sentences.
        evidence: all figures, as JSON types.
        is_whole: whether the search came to its end.
    """

    title: str
    rows: list[Row]
    lines: list[str]
    evidence: dict[str, Any]
    is_whole: bool = True


def tell_of(result: SearchResult) -> Told:
    """A search in words."""
    title = f"{result.job.source.path.name} for {result.job.target.name}"
    is_whole = not result.unfinished
    return Told(title, rows(result), summary(result), as_builtins(result), is_whole)
