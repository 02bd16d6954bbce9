"""Every kind of report file, and how it is made of a report."""

from collections.abc import Callable, Mapping
from pathlib import Path

from edgekit.gate.files import write_file
from edgekit.gate.html import to_html
from edgekit.gate.junit import to_junit
from edgekit.gate.markdown import to_markdown
from edgekit.gate.report import GateReport, to_json

WRITERS: dict[str, Callable[[GateReport], bytes]] = {
    "json": to_json,
    "junit": to_junit,
    "markdown": lambda report: to_markdown(report).encode(),
    "html": lambda report: to_html(report).encode(),
}
SUFFIXES = {"json": ".json", "junit": ".xml", "markdown": ".md", "html": ".html"}


def write_reports(report: GateReport, files: Mapping[str, Path | None]) -> None:
    """Write the kinds of report that have a path: each of them whole or not at all.

    Raises:
        StorageError: a folder cannot be written or the disk is full.
    """
    for kind, path in files.items():
        if path is not None:
            write_file(path, WRITERS[kind](report))
