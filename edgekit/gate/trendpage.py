"""Trends over stored verdicts as one self-contained HTML page."""

from html import escape

from edgekit.gate import words
from edgekit.gate.page import page, table
from edgekit.gate.trendplot import trend_plot
from edgekit.gate.trends import Mark, Trend, Trends, heading, repeated, summary


def to_html(trends: Trends) -> str:
    """The page: changes first, then a drawing for each series."""
    shown = repeated(trends)
    sections = [f"<h1>Gate history</h1><p>{escape(summary(trends))}</p>", _changes(shown)]
    source = None
    for trend in shown:
        if trend.series.source != source:
            source = trend.series.source
            conditions = escape(" · ".join(source.conditions))
            title = escape(heading(trend.series))
            sections.append(f'<h2>{title}</h2><p class="quiet">{conditions}</p>')
        title = f"{trend.series.figure}, {trend.series.unit}"
        sections.append(f"<h3>{escape(title)}</h3>{trend_plot(trend, title)}")
    if trends.problems:
        lines = "".join(f"<p>{escape(problem)}</p>" for problem in trends.problems)
        sections.append(f"<h2>Left out</h2>{lines}")
    return page("Gate history", sections)


def _changes(shown: list[Trend]) -> str:
    rows = [
        [escape(cell) for cell in (
            trend.series.figure,
            heading(trend.series),
            words.number(mark.before, trend.series.unit),
            words.number(mark.after, trend.series.unit),
            _between(mark),
            mark.created,
        )]
        for trend in shown
        for mark in trend.changes
    ]  # fmt: skip
    if not rows:
        return "<p>No level changed.</p>"
    head = ["figure", "of", "before", "after", "between commits", "first seen"]
    return table("Every change of level, dots are coloured by verdict", head, rows)


def _between(mark: Mark) -> str:
    """The last commit of the old level and the first of the new one, as far as they are known."""
    commits = [commit[:12] for commit in (mark.last_before, mark.commit) if commit]
    return " … ".join(commits) or "–"
