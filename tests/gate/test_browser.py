"""Reports in a real browser: legible, within their frames, silent, at every size and scheme."""

import msgspec
import pytest
from evidence import AFTER, BEFORE, accuracy, counts, crashed, drop, evidence, report_of
from pages import faults, look
from recordings import measured, record

from edgekit.gate.html import to_html

WIDE = "W" * 120 + "模型" * 60 + "ﷺ.edgekit"


def two_baselines(**changes):
    """Two baselines, two emulated CPUs, names as long as names can be."""
    named = [msgspec.structs.replace(each, file=file + WIDE) for each, file in
             ((AFTER, "new"), (BEFORE, "previous"), (BEFORE, "release"))]  # fmt: skip
    against = accuracy().against * 2
    return evidence(
        candidate=named[0], baselines=tuple(named[1:]), accuracy=accuracy(against=against),
        timing=measured(record(1.1, release=0.9)),
        counts=tuple(counts(1.02, f"arm://{cpu}", 2) for cpu in ("cortex-a53", "cortex-a76")),
        **changes,
    )  # fmt: skip


PAGES = {
    "one": lambda: evidence(1.2),
    "several": two_baselines,
    "alone": lambda: evidence(baselines=(), accuracy=accuracy(against=()), timing=None),
    "unsettled": lambda: evidence(
        timing=measured(record(rounds=1, processes=1)), dropped=drop(0.0, 0.0)
    ),
    "crashed": lambda: crashed("signal SIGSEGV"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_report_is_legible_and_silent_at_every_size_and_scheme(name, browser, tmp_path):
    path = tmp_path / f"{name}.html"
    path.write_text(to_html(report_of(PAGES[name]())))
    shown = list(look(browser, path))
    assert [fault for seen in shown for fault in faults(seen)] == []
    assert name == "crashed" or min(seen.found["drawings"] for seen in shown) > 0


BAD = {
    "asks for": "<img src='nowhere.png'>",
    "console: ": "<script>console.error('no')</script>",
    "exception": "<script>throw new Error('no exception')</script>",
    "are wider than": "<div style='width: 400px'>a</div>",
    "outside": "<svg viewBox='0 0 90 90'><text x='80' y='20'>a long label</text></svg>",
    "overlapping": "<svg viewBox='0 0 90 90'><text y='20'>one</text><text y='22'>two</text></svg>",
    "small": "<svg viewBox='0 0 900 90'><text y='20' style='font-size: 5px'>one</text></svg>",
    "invisible": "<svg viewBox='0 0 90 90'><text style='display: none'>one</text></svg>",
    "pale": "<p style='color: #888'>text</p>",
    "is not dark": "<style>body { background: white !important }</style>",
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_wrong_with_a_page_is_found(fault, browser, tmp_path):
    path = tmp_path / "bad.html"
    head = "<style>:root { color-scheme: light dark } body { background: light-dark(#fff, #000) }"
    path.write_text(f"<!doctype html>{head}</style><main>{BAD[fault]}</main>")
    found = [line for seen in look(browser, path) for line in faults(seen)]
    assert any(fault in line for line in found), found
