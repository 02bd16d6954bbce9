"""Tables on the terminal: the candidates of a search, the searches of a sweep."""

from collections.abc import Sequence

from edgekit_converters.report.rows import HEAD, Row

PLAIN_COLUMNS = 160
"""Width where there is no terminal to ask."""
WHOLE = ("candidate", "cost")
"""Columns that are read as one word."""
LONGEST = 48
"""Of such a word; names of recipes that keep many layers are cut into lines, or no other column
would be left."""


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print it to stdout, the chosen row in bold."""
    print_cells(title, HEAD, [(row.cells, row.is_chosen) for row in rows])


def print_cells(
    title: str, head: Sequence[str], rows: Sequence[tuple[Sequence[str], bool]]
) -> None:
    """Print any table to stdout; rows are cells and whether they stand out."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(head):
        longest = max((len(cells[place]) for cells, _ in rows), default=0)
        whole = column in WHOLE and longest <= LONGEST
        least = LONGEST if column in WHOLE and not whole else None
        table.add_column(column, overflow="fold", no_wrap=whole, min_width=least, max_width=least)
    for cells, is_bold in rows:
        table.add_row(*cells, style="bold" if is_bold else None)
    console.print(table, markup=False)
