"""The gate's HTML report: verdicts, intervals, distributions, circumstances."""

from html import escape

from edgekit.gate import words
from edgekit.gate.page import page, table
from edgekit.gate.ratioplot import Row, ratio_plot
from edgekit.gate.report import GateReport, TimingFigures
from edgekit.gate.svg import Bar, histogram, interval_plot
from edgekit.gate.verdict import Outcome, Verdict

TONES = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.INCONCLUSIVE: "open"}

RATIO = "latency.max_ratio"


def to_html(report: GateReport) -> str:
    """One self-contained page."""
    sections = [_head(report), _verdicts(report)]
    bars = [bar for verdict in report.verdicts if (bar := _bar(verdict)) is not None]
    if bars:
        plot = interval_plot(bars, "Where each value may lie, and its limit (the upright line)")
        sections += ["<h2>Intervals</h2>", plot]
    if report.timing is not None:
        sections += [_ratios(report, report.timing), _call_times(report.timing)]
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


def _ratios(report: GateReport, timing: TimingFigures) -> str:
    """The candidate over each baseline, and the noise floor of this run."""
    if not timing.ratios:
        return ""
    tones = {v.against: TONES[v.outcome] for v in report.verdicts if v.budget == RATIO}
    rows = [
        Row(f"candidate over {each.file}", ratio, tones.get(each.file, tones.get(None, "quiet")))
        for each, ratio in zip(report.baselines, timing.ratios, strict=True)
    ]
    if timing.noise is not None:
        rows.append(Row("noise floor: the baseline over itself", timing.noise, "quiet"))
    title = "Ratios of call times, with a mark for each process"
    plot = ratio_plot(rows, timing.noise, report.budget.latency.max_ratio, title)
    said = words.noise_floor(report) or "The baseline was not measured against itself."
    shaded = " The shaded band is where it lay." if timing.noise else ""
    return f"<h2>Ratios and noise floor</h2><p>{escape(said)}{shaded}</p>{plot}"


def _call_times(timing: TimingFigures) -> str:
    shown = timing.histogram
    title = "Distribution of call times; the last bin holds all slower calls"
    return "<h2>Call times</h2>" + histogram(shown.edges_ms, shown.counts, title, "ms")


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
        figures=_in_short(verdict),
    )


def _in_short(verdict: Verdict) -> str:
    value, between = words.number(verdict.value, verdict.unit), words.interval(verdict)
    where = f" ({between})" if verdict.low is not None and verdict.low != verdict.high else ""
    return f"{value}{where}, limit {words.number(verdict.limit, verdict.unit)}"


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
        f"Fed with {timing.inputs}. Timing stopped after: {timing.stopped}.",
        words.circumstances(timing.environment),
    ]
    accuracy = report.accuracy
    if accuracy is not None:
        method = (accuracy.against[0].drop if accuracy.against else accuracy.score).method
        lines.append(f"Scored by {accuracy.task}. Interval: {method}.")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<h2>Circumstances</h2>{paragraphs}"
