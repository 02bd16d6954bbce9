from xml.etree import ElementTree

from edgekit.gate.svg import WIDTH, Bar, fitted, histogram, interval_plot

SVG = "{*}"


def test_a_limit_left_of_an_interval_is_drawn_left_of_it():
    bar = Bar("latency", 1.08, 1.1, 1.12, 1.05, "fail", "too slow")
    drawing = ElementTree.fromstring(interval_plot([bar], "intervals"))
    lines = {line.get("class"): float(line.get("x1")) for line in drawing.iter("line")}
    (point,) = [float(circle.get("cx")) for circle in drawing.iter("circle")]
    assert lines["limit"] < lines["range"] < point < WIDTH


def test_an_unbounded_interval_stays_inside_the_drawing():
    bar = Bar("latency", 0.0, 1.0, 1e6, 1.05, "open", "too few blocks")
    drawing = ElementTree.fromstring(interval_plot([bar], "intervals"))
    assert all(float(line.get("x2")) <= WIDTH for line in drawing.iter("line"))


def test_labels_are_escaped():
    bar = Bar("<script>", 0.0, 0.0, 0.0, 0.0, "open", "& more")
    drawing = ElementTree.fromstring(interval_plot([bar], '"quoted" <title>'))
    assert drawing[0].get("aria-label") == '"quoted" <title>'
    assert drawing.find("svg/desc").text == "<script>: & more"


def test_the_tallest_bin_reaches_the_top_and_series_are_named():
    counts = {"one": [0, 10, 0], "two": [5, 3, 2]}
    drawing = ElementTree.fromstring(histogram([1.0, 2.0, 4.0, 8.0], counts, "times", "ms"))
    first, second = (path.get("d") for path in drawing.iter("path"))
    assert "V24.0" in first
    assert "V24.0" not in second
    assert {"one", "two"} <= {text.text for text in drawing.iter("text")}


def test_a_distribution_without_width_is_drawn():
    ElementTree.fromstring(histogram([1.0, 1.01], {"one": [0]}, "times", "ms"))


def test_a_name_that_is_too_long_loses_its_middle():
    assert fitted("short", 600) == "short"
    long = fitted("the start of " + "W" * 200 + " and the end", 300)
    assert long.startswith("the start")
    assert long.endswith("the end")
    assert "…" in long
    assert fitted("W" * 9, 5) == "…"


def test_an_interval_is_drawn_over_its_own_range_and_not_from_zero():
    bar = Bar("latency", 1.01, 1.02, 1.03, 1.05, "pass", "fast", "1.02×")
    drawing = ElementTree.fromstring(interval_plot([bar], "intervals"))
    (shown,) = [line for line in drawing.iter("line") if line.get("class") == "range"]
    assert float(shown.get("x2")) - float(shown.get("x1")) > WIDTH / 4
