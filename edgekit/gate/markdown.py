"""Markdown: the verdict for a pull request or a job summary."""

from edgekit.gate import words
from edgekit.gate.report import GateReport


def to_markdown(report: GateReport) -> str:
    """The report as GitHub-flavoured markdown."""
    lines = [
        f"## Gate: {report.outcome.value}, {words.headline(report)}",
        "",
        f"Candidate {_code(words.named(report.candidate))}"
        + "".join(f", baseline {_code(words.named(each))}" for each in report.baselines),
        "",
        "| limit | verdict | value | may be | allowed | why |",
        "|---|---|---|---|---|---|",
        *(
            _row(
                verdict.title,
                f"**{verdict.outcome.value}**",
                words.number(verdict.value, verdict.unit),
                words.interval(verdict),
                words.number(verdict.limit, verdict.unit),
                verdict.reason,
            )
            for verdict in report.verdicts
        ),
        "",
        _row(*words.columns(report)),
        "|---" + "|--:" * (len(report.baselines) + 1) + "|",
        *(_row(*row) for row in words.figures(report)),
        "",
    ]
    floor = words.noise_floor(report)
    if floor is not None:
        lines += [floor, ""]
    if report.timing is not None:
        lines += [
            f"Fed with {_escape(report.timing.inputs)}. Measured on "
            f"{_escape(words.circumstances(report.timing.environment))}.",
            "",
        ]
    return "\n".join([*lines, f"edgekit {report.edgekit}, {report.created}", ""])


def _row(*cells: str) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    """A pipe or a line break would end a cell; angle brackets would start HTML."""
    text = text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(text.split())


def _code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"
