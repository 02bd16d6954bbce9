import re
from html.parser import HTMLParser

import msgspec
import pytest

from edgekit.gate.html import to_html


class Outline(HTMLParser):
    VOID = ("meta", "circle", "line", "path", "rect")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def outline(report):
    parser = Outline()
    parser.feed(to_html(report))
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_asks_nobody_for_anything(report, outline):
    assert not re.search(r"https?:|url\(|@import", to_html(report))
    for tag, attributes in outline.tags:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {"src", "href", "onload", "onclick"} & set(attributes)


def test_names_are_text_and_never_markup(outline):
    assert "b" not in [tag for tag, _ in outline.tags]
    assert "<b>after" in outline.text


def test_every_limit_and_figure_is_there_in_words(report, outline):
    for verdict in report.verdicts:
        assert verdict.budget in outline.text
        assert verdict.reason in outline.text
    assert "The baseline loaded again took" in outline.text
    assert "Cortex-A76" in outline.text


def test_drawings_and_tables_can_be_read_aloud(outline):
    drawings = [attributes for tag, attributes in outline.tags if tag == "svg"]
    assert len(drawings) == 3
    assert all(each["role"] == "img" and each["aria-label"] for each in drawings)
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("desc") == 3
    assert tags.count("caption") == tags.count("table") == 2
    assert all(attributes["scope"] for tag, attributes in outline.tags if tag == "th")


def test_the_page_follows_the_readers_choice_of_light_and_dark(report):
    assert "prefers-color-scheme: dark" in to_html(report)


def test_every_side_and_the_noise_floor_are_drawn(report, outline):
    assert set(report.timing.histogram.counts) == {"baseline", "candidate", "baseline again"}
    assert sum(tag == "path" for tag, _ in outline.tags) == 3
    (band,) = [attributes for tag, attributes in outline.tags if tag == "rect"]
    assert band["class"] == "floor"
    assert float(band["width"]) > 0
    assert "noise floor: the baseline over itself" in outline.text


def test_a_report_without_timing_is_a_page_too(report):
    text = to_html(msgspec.structs.replace(report, timing=None, accuracy=None))
    assert "Nothing was timed" in text
