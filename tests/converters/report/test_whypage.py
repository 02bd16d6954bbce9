"""The explaining parts of the report in a real browser: legible, silent, and what choosing does."""

from dataclasses import replace

import pytest
from edgekit_converters.explain.explanation import Answer, BeforeAfter, Explanation, LayerBar
from edgekit_converters.importers import read_model
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.report.page import to_html
from edgekit_converters.report.scatter import explained_by
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.search import optimize
from edgekit_converters.search.workbench import Job
from edgekit_converters.targets import load_target
from pages import faults, look

OUTLIER = "int8_static_all_perchannel"
OTHER = "int8_static_conv_perchannel"


def layer(number, node, operator, own, accumulated):
    return LayerBar(node, operator, number, own, 45.0, own, accumulated, True)


def explanation(recipe, cause, layers=()):
    histogram = BeforeAfter("/features/x<1>", -1.0, 9.5, (0, 5, 900, 3), (908, 0, 0, 1), 0.04)
    return Explanation(
        recipe=recipe,
        verdict="over budget",
        symptom="drop 12.00 [10.00, 14.00]",
        node="deep",
        operator="Conv",
        index=2,
        cause=cause,
        proof="'x<1>' reaches 58 times its 99 % percentile",
        tried=(Answer(f"{recipe}_mse", "over budget", "drop 9.00"),),
        fix="keep layer 2 float",
        layers=tuple(layers),
        tensors=(histogram,),
        before_us={"Conv": 40.0},
        after_us={"QLinearConv": 50.0, "DequantizeLinear": 3.0},
    )


LAYERS = (
    layer(0, "first", "Conv", 41.0, 39.0),
    layer(2, "deep", "Conv", 6.0, 5.5),
    LayerBar("root", "Sqrt", None, None, None, None, 7.0, False),
    layer(10, "last_with_a_name_that_is_as_long_as_in_exports/MatMul", "MatMul", 30.0, 5.0),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report of a real search whose candidates are said to have failed."""
    import onnx
    from networks import conv_net, task_text

    from edgekit.task import load_task

    folder = tmp_path_factory.mktemp("report")
    onnx.save(conv_net(), folder / "conv.onnx")
    (folder / "task.py").write_text(task_text())
    source, task = read_model(folder / "conv.onnx"), load_task(folder / "task.py")
    job = Job(source, task, load_target("host"), Goal(), folder, 0, Silent())
    result = optimize(job, [lambda *_: iter([parse("int8_static_all_perchannel")])])
    scored, clean = result.candidates[1], result.candidates[0]
    judged = clean.calibration
    names = (OUTLIER, f"{OUTLIER}_mse", OTHER)
    failed = [
        replace(
            scored,
            recipe=parse(name),
            verdict="over budget",
            cost=replace(clean.cost, ratio=ratio),
            calibration=replace(judged, drop=replace(judged.drop, point=0.02)),
        )
        for name, ratio in zip(names, (0.4, 0.6, 0.8), strict=True)
    ]
    explained = (explanation(OUTLIER, "range outlier", LAYERS), explanation(OTHER, "unexplained"))
    result = replace(result, candidates=(clean, *failed), explanations=explained)
    assert explained_by(result) == {OUTLIER: OUTLIER, f"{OUTLIER}_mse": OUTLIER, OTHER: OTHER}
    path = folder / "report.html"
    path.write_text(to_html(result))
    return path


def test_it_is_legible_and_silent_at_every_size_and_scheme(page, browser):
    assert [fault for seen in look(browser, page) for fault in faults(seen)] == []


HELPERS = """
const shown = () => [...document.querySelectorAll("section.why")].filter(s => !s.hidden)
  .map(s => s.id);
const dot = name => [...document.querySelectorAll("svg a.dot")]
  .find(a => a.getAttribute("aria-label").startsWith(name + ":"));
const about = () => document.getElementById("about").textContent;
const rows = () => [...document.querySelectorAll("section:not([hidden]) table.layers tbody tr")]
  .filter(r => !r.hidden).map(r => r.cells[0].textContent.split(" ")[0]);
const head = name => [...document.querySelectorAll("table.layers th button")]
  .find(b => b.textContent === name);
"""


def run(browser, page, script):
    seen = browser.show(page, f"(() => {{ {HELPERS} {script} }})()")
    assert (seen.complaints, seen.requests) == ([], [])
    return seen.found


def test_choosing_a_dot_shows_its_explanation_and_its_figures(page, browser):
    found = run(
        browser,
        page,
        f"""
        const first = shown();
        dot("{OTHER}").dispatchEvent(new MouseEvent("click", {{bubbles: true, cancelable: true}}));
        const clicked = [shown(), about()];
        dot("{OUTLIER}_mse").focus();
        const focused = [shown(), about(), document.activeElement === dot("{OUTLIER}_mse")];
        dot("{OTHER}").dispatchEvent(new MouseEvent("mouseenter"));
        return {{first, clicked, focused, hovered: [shown(), about()],
          order: [...document.querySelectorAll("svg a.dot")].every(a => a.tabIndex === 0)}};
        """,
    )
    assert found["first"] == [f"why-{OUTLIER}"]
    assert found["clicked"][0] == [f"why-{OTHER}"]
    assert found["clicked"][1].startswith(f"{OTHER}: 0.80× of fp32, 2.00 points")
    assert found["focused"][0] == [f"why-{OUTLIER}"], "a variant is explained by its relative"
    assert found["focused"][1].startswith(f"{OUTLIER}_mse: 0.60×")
    assert found["focused"][2] is True
    assert found["hovered"][0] == [f"why-{OUTLIER}"], "the pointer only tells, it does not switch"
    assert found["hovered"][1].startswith(f"{OTHER}: 0.80×")
    assert found["order"] is True


def test_links_choose_too(page, browser):
    found = run(
        browser,
        page,
        f"""
        location.hash = "why-{OTHER}";
        dispatchEvent(new HashChangeEvent("hashchange"));
        const now = shown();
        return {{now, current: [...document.querySelectorAll("nav.reasons [aria-current]")]
          .map(a => a.getAttribute("href"))}};
        """,
    )
    assert found == {"now": [f"why-{OTHER}"], "current": [f"#why-{OTHER}"]}


def test_layers_are_sorted_by_number_and_name_and_filtered(page, browser):
    found = run(
        browser,
        page,
        """
        const order = [rows()];
        for (const name of ["own dB", "own dB", "number", "layer"]) {
          head(name).click();
          order.push(rows());
        }
        const sorted = head("layer").closest("th").getAttribute("aria-sort");
        const input = document.querySelector("section:not([hidden]) input[type=search]");
        input.value = "conv";
        input.dispatchEvent(new Event("input"));
        const count = document.querySelector("section:not([hidden]) .tools .quiet").textContent;
        return {order, sorted, filtered: rows(), count};
        """,
    )
    last = "last_with_a_name_that_is_as_long_as_in_exports/MatMul"
    assert found["order"] == [
        ["first", "deep", "root", last],
        ["deep", last, "first", "root"],
        ["root", "first", last, "deep"],
        ["first", "deep", last, "root"],
        ["deep", "first", last, "root"],
    ]
    assert found["sorted"] == "ascending"
    assert found["filtered"] == ["deep", "first"]
    assert found["count"] == "2 of 4 layers"


def test_without_a_script_every_explanation_is_there(page, browser, tmp_path):
    text = page.read_text()
    start, end = text.index("<script>"), text.index("</script>")
    bare = tmp_path / "bare.html"
    bare.write_text(text[:start] + text[end + len("</script>") :])
    assert [fault for seen in look(browser, bare) for fault in faults(seen)] == []
    found = run(browser, bare, "return {shown: shown(), rows: rows()}")
    assert found["shown"] == [f"why-{OUTLIER}", f"why-{OTHER}"]
    assert found["rows"][:2] == ["first", "deep"]
    for told in ("range outlier", "keep layer 2 float", "x&lt;1&gt;", "drop 9.00"):
        assert told in text


def test_only_its_own_script_may_run(page, browser, tmp_path):
    hostile = tmp_path / "hostile.html"
    text = page.read_text().replace("</main>", "<script>window.evil = 1</script></main>")
    hostile.write_text(text)
    seen = browser.show(hostile, "({evil: window.evil === undefined})")
    assert seen.found == {"evil": True}
