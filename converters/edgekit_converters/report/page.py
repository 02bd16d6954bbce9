"""The search as one self-contained HTML page."""

from html import escape

from edgekit.gate.page import page, table
from edgekit_converters.report.interaction import ABOUT, SCRIPT, STYLE
from edgekit_converters.report.rows import HEAD, rows, summary
from edgekit_converters.report.scatter import dots, explained_by, row_id, scatter
from edgekit_converters.report.whypage import why_sections
from edgekit_converters.search.search import SearchResult

TONES = {"chosen": "pass", "baseline": "quiet", "in budget": "open", "not certified": "open"}


def to_html(result: SearchResult) -> str:
    """One page: what was chosen and why, every candidate, passes, what was kept in fp32."""
    name = result.job.source.path.name
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in summary(result))
    title = "Cost and drop of every candidate"
    front = [each.recipe.name for each in result.front]
    plot = scatter(dots(result), result.job.goal.max_drop * 100, title, front)
    sections = [
        f"<h1>{escape(name)} for {escape(result.job.target.name)}: "
        f'<span class="pass">{escape(result.chosen.recipe.name)}</span></h1>{paragraphs}',
        f"<h2>Cost and drop</h2>{plot}{ABOUT}",
        f"<h2>Candidates</h2>{_candidates(result)}",
        why_sections(result.explanations, explained_by(result)),
        f"<h2>Passes</h2>{_passes(result)}",
        _kept(result),
    ]
    return page(f"{name}: {result.chosen.recipe.name}", sections, style=STYLE, script=SCRIPT)


def _candidates(result: SearchResult) -> str:
    body = []
    for row in rows(result):
        cells = [escape(cell) for cell in row.cells]
        place = HEAD.index("verdict")
        tone = TONES.get(row.cells[place], "fail")
        cells[place] = f'<span class="verdict {tone}">{cells[place]}</span>'
        cells[0] = f'<span id="{row_id(row.cells[0])}">{cells[0]}</span>'
        body.append(cells)
    caption = (
        "Drop, agreement and cost against the model that came, on evaluation where the score says "
        "nothing else; ranges are 95 % intervals"
    )
    return table(caption, HEAD, body)


def _passes(result: SearchResult) -> str:
    body = [
        [escape(each.name), escape(each.outcome), escape(each.note), f"{each.error:.2g}"]
        for each in result.passes
    ]
    caption = "Each was checked on calibration inputs; error is a share of the largest output"
    return table(caption, ("pass", "outcome", "note", "error"), body)


def _kept(result: SearchResult) -> str:
    body = [
        [escape(each.recipe.name), escape(node), escape(reason)]
        for each in result.candidates
        for node, reason in each.kept.items()
    ]
    if not body:
        return ""
    return "<h2>What stayed in fp32</h2>" + table(
        "Operators that a recipe covers but could not lower", ("recipe", "node", "why"), body
    )
