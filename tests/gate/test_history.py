"""Stored verdicts: appended whole, read whatever lies beside them, never mixed."""

import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest
from evidence import counts, evidence, report_of
from pages import faults, look
from recordings import measured, record

from edgekit.errors import StorageError, UsageError
from edgekit.gate.history import History, append, read_commits, read_history
from edgekit.gate.report import to_json
from edgekit.gate.series import series_of
from edgekit.gate.trendpage import to_html
from edgekit.gate.trends import find_trends, json_schema, repeated, to_text
from edgekit.gate.trends import to_json as trends_to_json

PUBLISHED = Path(__file__).parents[2] / "docs/schemas/history-1.json"
WHOLE = msgspec.structs.replace


def gate(number, slower=1.0, more=1.0, **changes):
    """The report of gate `number`."""
    found = evidence(
        timing=measured(record(slower, seed=number, rounds=2, interrupted=0.0)),
        counts=(counts(more),),
    )
    day = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T10:00:00+00:00"
    return WHOLE(report_of(found), created=day, commit=f"{number:08x}", **changes)


def values(trends, figure):
    return [[p.value for p in t.series.points] for t in trends.trends if t.series.figure == figure]


@pytest.fixture(scope="module")
def forty():
    """Forty gates; the model is 30 % slower from number 24 and has 2 % more work from 32."""
    return [gate(n, 1.3 if n >= 24 else 1.0, 1.02 if n >= 32 else 1.0) for n in range(40)]


@pytest.fixture
def history(forty, tmp_path):
    path = tmp_path / "history.jsonl"
    for report in forty:
        append(path, report)
    return path


def test_changes_are_found_where_they_were_planted(history):
    trends = find_trends(read_history([history]))
    marks = {t.series.figure: t.changes for t in trends.trends if t.changes}
    assert [mark.index for mark in marks["instructions"]] == [32]
    (ratio,) = [marks[figure] for figure in marks if figure.startswith("latency over")]
    assert [mark.index for mark in ratio] == [24]
    assert ratio[0].commit == f"{24:08x}"
    assert ratio[0].last_before == f"{23:08x}"
    assert ratio[0].after / ratio[0].before == pytest.approx(1.3, abs=0.05)
    assert not any(figure in marks for figure in ("model size", "score", "peak memory", "load"))
    moving = [t for t in trends.trends if len({p.value for p in t.series.points}) > 1]
    assert len(moving) > 3
    assert all(m.p_value <= trends.alpha / len(moving) for t in trends.trends for m in t.changes)
    text = to_text(trends)
    assert "10 million → 10.2 million (+2.0%)" in text
    assert f"commit {32:08x}" in text


def test_a_folder_gives_what_a_file_of_lines_gives(forty, history, tmp_path):
    folder = tmp_path / "verdicts/deep"
    folder.mkdir(parents=True)
    for number, report in enumerate(reversed(forty)):
        (folder / f"{number}.json").write_bytes(to_json(report))
    assert read_history([tmp_path / "verdicts"]) == read_history([history])
    both = read_history([tmp_path / "verdicts", history])
    assert len(both.reports) == 40


BROKEN = {
    "truncated": lambda whole: whole[:-40],
    "binary": lambda _: bytes(range(256)),
    "empty": lambda _: b"",
    "a list": lambda _: b"[1, 2]",
    "nested": lambda _: b"[" * 100_000,
    "other schema": lambda whole: whole.replace(b'"schema": 1', b'"schema": 9'),
    "no time": lambda whole: whole.replace(b'"created": "2026', b'"created": "soon'),
    "wrong type": lambda whole: whole.replace(b'"outcome": "', b'"outcome": "MAYBE'),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_report_is_left_out_and_named(kind, forty, tmp_path):
    whole = to_json(forty[0])
    broken = BROKEN[kind](whole)
    assert broken != whole
    (tmp_path / "good.json").write_bytes(whole)
    (tmp_path / "bad.json").write_bytes(broken)
    history = read_history([tmp_path])
    assert history.reports == (forty[0],)
    (problem,) = history.problems
    assert problem.startswith(f"{tmp_path / 'bad.json'}: ")
    assert problem.endswith("; left out")
    assert "\n" not in problem


def test_a_torn_line_costs_only_itself(history, forty):
    with history.open("ab") as file:
        file.write(b'{"schema": 1, "outc')
    append(history, gate(41))
    found = read_history([history])
    assert len(found.reports) == 41
    assert ", line 41: " in found.problems[0]


def test_nothing_to_read_is_an_error_with_the_way_out(tmp_path):
    with pytest.raises(
        StorageError, match=r"no gate report is there \(no file at all\).*--history"
    ):
        read_history([tmp_path])
    with pytest.raises(StorageError, match="it is not there"):
        read_history([tmp_path / "missing"])
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(StorageError, match="1 of them unreadable"):
        read_history([tmp_path])


def test_time_is_the_order_whatever_the_zone_and_a_list_of_commits_wins(tmp_path):
    early, late = gate(1), gate(2)
    early = WHOLE(early, created="2026-01-02T23:30:00-05:00")
    late = WHOLE(late, created="2026-01-03T05:00:00+00:00")
    path, listed = tmp_path / "history.jsonl", tmp_path / "commits"
    for report in (late, early, gate(9)):
        append(path, report)
    assert [r.commit for r in read_history([path]).reports][:2] == [early.commit, late.commit]
    listed.write_text(f"{late.commit}\n{early.commit}\n")
    found = read_history([path], read_commits(listed))
    assert [r.commit for r in found.reports] == [late.commit, early.commit]
    assert "1 reports are of no commit in the list" in found.problems[0]
    listed.write_text("\n")
    with pytest.raises(UsageError, match="git rev-list"):
        read_commits(listed)


def elsewhere(report, **changes):
    environment = WHOLE(report.timing.environment, **changes)
    return WHOLE(report, timing=WHOLE(report.timing, environment=environment))


OTHER = {
    "device": lambda r: elsewhere(r, device="ssh://board"),
    "CPU": lambda r: elsewhere(r, cpu="Cortex-A53"),
    "cores": lambda r: elsewhere(r, cores=2),
    "runtime": lambda r: elsewhere(r, versions={"edgekit": "0.1.0", "onnxruntime": "1.33.0"}),
    "Python": lambda r: elsewhere(r, python="3.12.1"),
    "inputs": lambda r: WHOLE(r, timing=WHOLE(r.timing, inputs="golden inputs")),
    "threads": lambda r: WHOLE(r, timing=WHOLE(r.timing, threads=2)),
    "target": lambda r: WHOLE(r, candidate=WHOLE(r.candidate, target="cortex-a53")),
    "name": lambda r: WHOLE(r, candidate=WHOLE(r.candidate, name="kws")),
}


@pytest.mark.parametrize("other", OTHER)
def test_what_was_taken_elsewhere_is_another_series(other):
    reports = [gate(0), gate(1), OTHER[other](gate(2))]
    lengths = [len(s.points) for s in series_of(reports) if s.figure == "latency p50"]
    assert lengths == [2, 1]


def test_counts_of_other_versions_and_ratios_over_other_baselines_are_other_series():
    other = gate(2)
    counted = WHOLE(other.instructions[0], versions={"qemu": "7.3"})
    baseline = WHOLE(other.baselines[0], model_sha256="c" * 64)
    other = WHOLE(other, instructions=(counted,), baselines=(baseline,))
    found = series_of([gate(0), gate(1), other])
    for figure in ("instructions", "latency over"):
        assert [len(s.points) for s in found if s.figure.startswith(figure)] == [2, 1]
    assert [len(s.points) for s in found if s.figure == "model size"] == [3]


def test_another_kernel_or_load_of_the_same_machine_is_the_same_series():
    reports = [gate(0), elsewhere(gate(1), kernel="Linux 6.9", load_1m=0.1, temperature_c=70.0)]
    assert [len(s.points) for s in series_of(reports) if s.figure == "latency p50"] == [2]


def test_figures_that_were_seen_once_are_no_trend():
    trends = find_trends(History((gate(0),), ()))
    assert repeated(trends) == []
    assert "seen once" in to_text(trends)


def test_the_page_of_trends_is_legible_and_silent(history, browser, tmp_path):
    path = tmp_path / "history.html"
    (tmp_path / "x.json").write_text("{}")
    found = read_history([tmp_path])
    path.write_text(to_html(find_trends(found)))
    shown = list(look(browser, path))
    assert [fault for seen in shown for fault in faults(seen)] == []
    assert shown[0].found["drawings"] == len(repeated(find_trends(found)))
    assert "x.json: its schema is None" in path.read_text()
    assert str(tmp_path) not in path.read_text()


def test_the_published_schema_is_the_one_in_use(history):
    """With EDGEKIT_UPDATE=1 in the environment the file is written anew."""
    text = json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("EDGEKIT_UPDATE"):
        PUBLISHED.write_text(text)
    assert PUBLISHED.read_text() == text
    found = json.loads(trends_to_json(find_trends(read_history([history]))))
    jsonschema.validate(found, json.loads(text), jsonschema.Draft202012Validator)
