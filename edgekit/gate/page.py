"""The frame of an HTML report: one file, no request to anywhere, light and dark, accessible."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from string import Template

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --quiet: #57606a;
  --line: #d0d7de; --pass: #116329; --fail: #b3261e; --open: #7a4f01; --first: #0550ae;
  --second: #953800; --third: #1b7c83; --fourth: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3;
  --quiet: #9aa4af; --line: #3d444d; --pass: #56d364; --fail: #ff7b72; --open: #e3b341;
  --first: #79c0ff; --second: #ffa657; --third: #39d0d8;
  --fourth: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; background: var(--ground);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 0; }
p { margin: .3rem 0; } .quiet { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  overflow-wrap: break-word; }
caption { text-align: left; color: var(--quiet); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th[scope=row] { min-width: 8rem; max-width: 20rem; }
td:last-child:nth-child(n+6) { min-width: 18rem; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .open { color: var(--open); }
.verdict { font-weight: 700; }
svg { display: block; width: 100%; min-width: 30rem; max-width: 46rem; height: auto; }
svg text { font: 13px system-ui, sans-serif; fill: var(--text); }
svg text.quiet { fill: var(--quiet); }
svg .axis { stroke: var(--line); } svg .range { stroke: currentColor; stroke-width: 6;
  stroke-linecap: round; opacity: .45; } svg circle { fill: currentColor; }
svg .limit { stroke: var(--text); stroke-width: 2; } svg .mark { stroke: currentColor; }
svg .level { stroke: var(--first); stroke-width: 2; }
svg .floor { fill: var(--quiet); fill-opacity: .25; }
svg path { fill-opacity: .18; stroke-width: 1.5; }
svg path.series0 { fill: var(--first); stroke: var(--first); }
svg path.series1 { fill: var(--second); stroke: var(--second); }
svg path.series2 { fill: var(--third); stroke: var(--third); }
svg path.series3 { fill: var(--fourth); stroke: var(--fourth); }
svg text.series0 { fill: var(--first); } svg text.series1 { fill: var(--second); }
svg text.series2 { fill: var(--third); } svg text.series3 { fill: var(--fourth); }
"""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'$allowed">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$content
</main>$script
</body>
</html>
""")


def page(title: str, sections: Sequence[str], *, style: str = "", script: str = "") -> str:
    """A whole page.

    Args:
        title: of the window, as text.
        sections: the content, as HTML.
        style: further rules.
        script: the only script that may run: the page names its digest.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return PAGE.substitute(
        title=escape(title),
        style=STYLE + style,
        content="\n".join(sections),
        allowed=f"; script-src 'sha256-{digest}'" if script else "",
        script=f"\n<script>{script}</script>" if script else "",
    )


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the row; cells are HTML, caption and head are text."""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n'
        for first, *rest in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )
