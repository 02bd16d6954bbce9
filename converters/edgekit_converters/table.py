"""The candidates as a table on the terminal."""

from collections.abc import Sequence

from edgekit_converters.rows import HEAD, Row

PLAIN_COLUMNS = 160
"""Width where there is no terminal to ask."""


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print it to stdout, the chosen row in bold."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)
    table = Table(title=title, title_justify="left")
    for column in HEAD:
        table.add_column(column, overflow="fold", no_wrap=column in ("candidate", "cost"))
    for row in rows:
        table.add_row(*row.cells, style="bold" if row.is_chosen else None)
    console.print(table, markup=False)
