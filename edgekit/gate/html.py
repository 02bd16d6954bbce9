"""The gate's HTML report: verdicts, intervals, distributions, circumstances."""

from html import escape

from edgekit.gate import words
from edgekit.gate.page import page, table
from edgekit.gate.report import GateReport
from edgekit.gate.svg import Bar, histogram, interval_plot
from edgekit.gate.verdict import Outcome, Verdict

TONES = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.INCONCLUSIVE: "open"}


def to_html(report: GateReport) -> str:
    """One self-contained page."""
    sections = [_head(report), _verdicts(report)]
    bars = [bar for verdict in report.verdicts if (bar := _bar(verdict)) is not None]
    if bars:
        plot = interval_plot(bars, "Where each value may lie, and its limit (the upright line)")
        sections += ["<h2>Intervals</h2>", plot]
    if report.timing is not None:
        shown = report.timing.histogram
        title = "Distribution of call times; the last bin holds all slower calls"
        sections += ["<h2>Call times</h2>", histogram(shown.edges_ms, shown.counts, title, "ms")]
    sections += [_figures(report), _circumstances(report)]
    return page(f"{report.outcome.value}: {report.candidate.file}", sections)


def _head(report: GateReport) -> str:
    outcome = report.outcome
    baseline = "".join(f"<p>Baseline: {escape(words.named(b))}</p>" for b in report.baselines)
    return (
        f'<h1>Gate: <span class="{TONES[outcome]}">{outcome.value}</span>, '
        f"{words.headline(report)}</h1>"
        f"<p>Candidate: {escape(words.named(report.candidate))}</p>{baseline}"
        f'<p class="quiet">edgekit {escape(report.edgekit)}, {escape(report.created)}</p>'
    )


def _verdicts(report: GateReport) -> str:
    rows = [
        [
            escape(verdict.title),
            f'<span class="verdict {TONES[verdict.outcome]}">{verdict.outcome.value}</span>',
            escape(words.number(verdict.value, verdict.unit)),
            escape(words.interval(verdict)),
            escape(words.number(verdict.limit, verdict.unit)),
            escape(verdict.reason),
        ]
        for verdict in report.verdicts
    ]
    head = ["limit", "verdict", "value", "may be", "allowed", "why"]
    return table("One row for each limit of the budget", head, rows)


def _bar(verdict: Verdict) -> Bar | None:
    if verdict.value is None or not isinstance(verdict.limit, float | int):
        return None
    low, high = verdict.low, verdict.high
    return Bar(
        label=verdict.title,
        low=verdict.value if low is None else low,
        point=verdict.value,
        high=verdict.value if high is None else high,
        limit=float(verdict.limit),
        tone=TONES[verdict.outcome],
        text=verdict.reason,
    )


def _figures(report: GateReport) -> str:
    rows = [[escape(cell) for cell in row] for row in words.figures(report)]
    return "<h2>Figures</h2>" + table(
        "Measured in turns, in the same processes", words.columns(report), rows
    )


def _circumstances(report: GateReport) -> str:
    timing = report.timing
    if timing is None:
        return "<h2>Circumstances</h2><p>Nothing was timed.</p>"
    lines = [
        words.noise_floor(report),
        f"Fed with {timing.inputs}. Timing stopped after: {timing.stopped}.",
        words.circumstances(timing.environment),
    ]
    accuracy = report.accuracy
    if accuracy is not None:
        method = (accuracy.against[0].drop if accuracy.against else accuracy.score).method
        lines.append(f"Scored by {accuracy.task}. Interval: {method}.")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines if line is not None)
    return f"<h2>Circumstances</h2>{paragraphs}"
