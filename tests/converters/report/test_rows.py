from dataclasses import replace
from html.parser import HTMLParser

import pytest
from edgekit_converters.importers import read_model
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.report.page import to_html
from edgekit_converters.report.rows import HEAD, not_tried, rows, summary
from edgekit_converters.report.scatter import Dot, scatter
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.search import SearchResult, optimize
from edgekit_converters.search.workbench import Job
from edgekit_converters.targets import Target, load_target
from pages import faults, look


@pytest.fixture
def result(tmp_path, conv_path, task) -> SearchResult:
    folder = tmp_path / "work"
    folder.mkdir()
    target = load_target("host")
    job = Job(read_model(conv_path), task, target, Goal(), folder, 0, Silent())
    recipes = [parse("int8_static_conv_perchannel"), parse("int8_static_matmul")]
    return optimize(job, [lambda *_: iter(recipes)])


def test_there_is_a_row_for_each_candidate_and_one_is_chosen(result):
    found = rows(result)
    assert [row.cells[0] for row in found] == [
        "as-is",
        "fp32",
        "int8_static_conv_perchannel",
        "int8_static_matmul",
    ]
    assert all(len(row.cells) == len(HEAD) for row in found)
    assert sum(row.is_chosen for row in found) == 1


def test_the_summary_states_bound_and_samples_that_would_settle_it(result):
    """12 equal answers in 6 groups."""
    judged = result.baseline.evaluation
    chosen = replace(result.candidates[0], verdict="chosen", why="the cheapest", evaluation=judged)
    told = " ".join(summary(replace(result, chosen=chosen, looks=1)))
    assert "with 95 % confidence (12 samples in 6 groups" in told
    assert f"about {judged.drop.samples_to_settle} samples would settle it" in told
    assert "shown to one candidate" in told


def test_a_target_that_saturates_is_warned_about(result):
    avx2 = Target("old-pc", "", "x86_64", frozenset({"avx2"}))
    told = " ".join(summary(replace(result, job=replace(result.job, target=avx2))))
    assert "old-pc has no VNNI" in told


def test_what_was_not_tried_is_told_once_for_each_reason(result):
    skipped = [
        replace(each, verdict="not tried", why="no fp16 kernels") for each in result.candidates[1:]
    ]
    result = replace(result, candidates=(result.candidates[0], *skipped))
    assert not_tried(result) == [
        "Not tried: int8_static_conv_perchannel, int8_static_matmul: no fp16 kernels."
    ]
    assert len(rows(result)) == 2


def test_the_front_leaves_out_what_another_beats_in_both(result):
    def at(name, ratio, point):
        clean = result.candidates[0]
        cost = replace(clean.cost, ratio=ratio)
        judged = replace(clean.judged, drop=replace(clean.judged.drop, point=point))
        return replace(clean, recipe=parse(name), cost=cost, calibration=judged, evaluation=None)

    fast, good = at("int8_static_all", 0.4, 0.02), at("int8_static_conv", 0.6, 0.001)
    beaten = at("int8_static_matmul", 0.7, 0.01)
    result = replace(result, candidates=(beaten, good, fast))
    assert result.front == (fast, good)
    assert "(the Pareto front): int8_static_all, int8_static_conv." in " ".join(summary(result))


def test_a_search_that_ended_early_says_so(result):
    told = summary(replace(result, unfinished="90 CPU-seconds were spent"))
    assert "The search is not complete: 90 CPU-seconds were spent." in told


def test_a_bound_over_the_limit_says_by_what_it_was_chosen_and_how_often_was_looked(result):
    """kws: a drop of 0.6 whose bound is 1.9 is inside one point by its estimate only."""
    drop = replace(result.chosen.judged.drop, point=0.006, upper=0.019, samples_to_settle=2400)
    evaluation = replace(result.chosen.judged, drop=drop)
    chosen = replace(result.chosen, recipe=parse("fp32_prune18"), evaluation=evaluation)
    told = " ".join(summary(replace(result, chosen=chosen, looks=2)))
    assert "The drop is at most 1.90 points with 95 % confidence" in told
    assert "over the limit of 1, which its estimate of 0.60 keeps" in told
    assert "--certify asks the bound, as the gate does" in told
    assert "about 2400 samples would settle it" in told
    assert "shown to 2 candidates, and the bound is not widened for that" in told


class Balanced(HTMLParser):
    """Every tag that opens closes, in order."""

    VOID = ("meta", "br", "input")

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            is_own = name == "href" and value.startswith("#")
            assert not (name in ("src", "href") and value) or is_own, "it must ask for nothing"

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_asks_for_nothing(result):
    hostile = replace(result.candidates[0], why="<script>alert(1)</script>")
    page = to_html(replace(result, candidates=(hostile, *result.candidates[1:])))
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "<script>alert(1)</script>" in "".join(parser.text)
    assert page.count("<script>") == 1, "its own"
    assert page.count("<script>alert") == 0


def test_dots_stay_inside_the_drawing():
    found = [Dot("fp32", 1.0, 0.0, "open"), Dot("far", 9.0, 80.0, "fail")]
    drawing = scatter([*found, Dot("better", 0.4, -2.0, "pass")], 1.0, "a title")
    xs = [float(part.split('"')[0]) for part in drawing.split('cx="')[1:]]
    ys = [float(part.split('"')[0]) for part in drawing.split('cy="')[1:]]
    assert len(xs) == 3
    assert all(60 <= x <= 620 for x in xs)
    assert all(20 <= y <= 250 for y in ys)


def test_the_page_is_legible_and_silent_in_a_browser(result, browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(to_html(result))
    assert [fault for seen in look(browser, path) for fault in faults(seen)] == []
