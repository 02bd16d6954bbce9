import json

import numpy as np
import pytest

from edgekit.errors import BudgetError, StorageError, UsageError
from edgekit.gate.budget import parse_budget
from edgekit.gate.recorded import Recorded, Stats, from_fixture, judge_recorded, read_recorded
from edgekit.gate.verdict import Outcome

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
P99 = parse_budget({"latency": {"p99_ms": 2.0}}, "budget")
RATIO = parse_budget({"latency": {"max_ratio": 1.2}}, "budget")


def recorded(median=1e-3, *, made="", machine=("board",), **changes):
    return Recorded("test_speed", Stats(median, 500, **changes), machine, made)


def calls(count, slow=0.0, seed=0):
    random = np.random.default_rng(seed)
    return tuple((1e-3 * random.lognormal(0, 0.05, count) * (1 + slow)).tolist())


def series(count, ratio=1.0, *, first=0, step=2, spread=0.01, seed=0):
    """Recordings of one side, every `step` minutes."""
    random = np.random.default_rng(seed)
    return [
        recorded(
            1e-3 * ratio * random.lognormal(0, spread),
            made=f"2026-11-26T12:{first + step * n:02}:00",
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("data", "outcome"), [(calls(500), PASS), (calls(500, 2.0), FAIL), (calls(400), INCONCLUSIVE)]
)
def test_a_percentile_takes_the_single_calls_and_says_how_many_are_missing(data, outcome):
    (verdict,) = judge_recorded(P99, [recorded(data=data)])
    assert verdict.outcome is outcome
    assert verdict.reason.endswith("as pytest-benchmark recorded test_speed")
    if outcome is INCONCLUSIVE:
        assert "400 calls, 59 are missing" in verdict.reason


@pytest.mark.parametrize(
    ("recordings", "words"),
    [
        ([recorded()], "only a summary of 500 rounds was saved"),
        ([recorded(data=calls(500), iterations=20)], "the mean of 20 calls"),
        ([], "switched off"),
    ],
)
def test_without_the_single_calls_a_percentile_is_open(recordings, words):
    (verdict,) = judge_recorded(P99, recordings)
    assert verdict.outcome is INCONCLUSIVE
    assert words in verdict.reason


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.1, 5.0])
@pytest.mark.parametrize("count", [1, 2])
def test_one_recording_of_each_never_gives_a_verdict_whatever_the_ratio(ratio, count):
    after, before = series(count, ratio, first=1), series(count)
    (verdict,) = judge_recorded(RATIO, after, before)
    assert verdict.outcome is INCONCLUSIVE
    assert "recorded A then B" in verdict.reason
    assert verdict.value == pytest.approx(ratio, rel=0.05)
    assert (verdict.low, verdict.high) == (None, None)


def test_many_recordings_of_one_side_and_then_of_the_other_are_still_a_then_b():
    (verdict,) = judge_recorded(RATIO, series(5, 2.0, first=20), series(5))
    assert verdict.outcome is INCONCLUSIVE
    assert "recorded A then B by their dates" in verdict.reason


@pytest.mark.parametrize(
    ("ratio", "outcome"), [(1.0, PASS), (1.2, INCONCLUSIVE), (1.5, FAIL), (0.5, PASS)]
)
def test_recordings_in_turns_are_judged_by_how_far_recordings_differ(ratio, outcome):
    (verdict,) = judge_recorded(RATIO, series(4, ratio, first=1, seed=1), series(4))
    assert verdict.outcome is outcome
    assert verdict.low < verdict.value < verdict.high


def test_the_same_code_on_a_restless_machine_fails_in_few_runs_and_a_naive_rule_in_many():
    """Recordings differ by 8 %, as those of a loaded runner do."""
    tight = parse_budget({"latency": {"max_ratio": 1.05}}, "budget")
    failed, naive, runs = 0, 0, 200
    for run in range(runs):
        after = series(4, first=1, spread=0.08, seed=2 * run)
        before = series(4, spread=0.08, seed=2 * run + 1)
        failed += judge_recorded(tight, after, before)[0].outcome is FAIL
        naive += after[0].stats.median > 1.05 * before[0].stats.median
    assert failed <= 0.03 * runs
    assert naive > 0.2 * runs


def test_machines_and_times_that_nobody_told_leave_it_open():
    after, before = series(3, first=1), series(3)
    elsewhere = [Recorded(r.name, r.stats, ("other",), r.made) for r in before]
    undated = [Recorded(r.name, r.stats, r.machine) for r in before]
    for baselines, words in (
        (elsewhere, "different machines"),
        (undated, "nobody knows when"),
        ([], "baseline="),
    ):
        (verdict,) = judge_recorded(RATIO, after, baselines)
        assert verdict.outcome is INCONCLUSIVE
        assert words in verdict.reason


def test_a_budget_without_latency_has_nothing_to_judge():
    with pytest.raises(BudgetError, match=r"no limit in \[latency\]"):
        judge_recorded(parse_budget({"size": {"max_mb": 1}}, "budget"), [recorded()])


def benchmark_file(path, names=("test_a",), median=1e-3, **changes):
    stats = {"min": 1e-3, "median": median, "rounds": 3, "iterations": 1, "data": [1e-3] * 3}
    found = [{"name": n, "fullname": f"t.py::{n}", "stats": stats | changes} for n in names]
    machine = {"node": "board", "machine": "aarch64", "cpu": {"brand_raw": "Cortex-A76"}}
    about = {"machine_info": machine, "datetime": "2026-11-26T12:00:00", "version": "5.3.1"}
    path.write_text(json.dumps(about | {"benchmarks": found}))
    return path


def test_a_file_has_times_dates_and_machines(tmp_path):
    found = read_recorded(benchmark_file(tmp_path / "b.json"))
    assert (found.name, found.made, found.stats.data) == (
        "test_a",
        "2026-11-26T12:00:00",
        (1e-3,) * 3,
    )
    assert found.machine == ("board", "aarch64", "", "", "Cortex-A76")
    both = benchmark_file(tmp_path / "two.json", ("test_a", "test_b"))
    assert read_recorded(both, "t.py::test_b").name == "test_b"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("{", None, "it is no JSON of pytest-benchmark"),
        ('{"benchmarks": 3}', None, "it is no JSON of pytest-benchmark"),
        ('{"benchmarks": []}', None, "it has none; record"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, content, name, words):
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=words):
        read_recorded(path, name)


def test_benchmarks_are_chosen_by_name_and_times_checked(tmp_path):
    both = benchmark_file(tmp_path / "two.json", ("test_a", "test_b"))
    with pytest.raises(UsageError, match=r"name one of t\.py::test_a, t\.py::test_b"):
        read_recorded(both)
    with pytest.raises(UsageError, match="0 benchmarks are called 'test_c'"):
        read_recorded(both, "test_c")
    with pytest.raises(UsageError, match="not above 0"):
        read_recorded(benchmark_file(tmp_path / "zero.json", median=0.0))
    with pytest.raises(StorageError, match="No such file"):
        read_recorded(tmp_path / "missing.json")


def test_a_fixture_that_was_not_called_has_nothing(benchmark):
    if benchmark.disabled:
        assert from_fixture(benchmark) is None
    else:
        with pytest.raises(UsageError, match=r"call benchmark\(function\) first"):
            from_fixture(benchmark)
    benchmark.pedantic(len, args=("",), rounds=2)
    if not benchmark.disabled:
        assert len(from_fixture(benchmark).stats.data) == 2
