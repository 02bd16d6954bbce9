"""Tell GitHub Actions of verdicts, where a command runs there: annotations and the summary."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.gate.verdict import Verdict


def announce(title: str, verdicts: "Sequence[Verdict]", markdown: str) -> None:
    """Print annotations and add to the summary; elsewhere nothing at all.

    Args:
        title: what was judged, such as a file name.
        verdicts: all of them.
        markdown: the report.

    Raises:
        StorageError: the summary cannot be written.
    """
    from edgekit.gate import github

    if not github.is_github(os.environ):
        return
    for line in github.annotations(title, verdicts):
        print(line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        github.append_summary(Path(summary), markdown)
