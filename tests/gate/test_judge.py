import pytest
from evidence import BEFORE, accuracy, counts, crashed, drop, evidence
from recordings import measured, record

from edgekit.gate.budget import TABLES, parse_budget
from edgekit.gate.judge import JUDGES, NOT_MEASURED, judge
from edgekit.gate.scored import Against, MetricFigures
from edgekit.gate.verdict import Outcome, overall
from edgekit.measure.accuracy import Discordance
from edgekit.measure.estimate import Estimate
from edgekit.measure.fidelity import Fidelity

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def only(table, key, limit, found):
    (verdict,) = judge(parse_budget({table: {key: limit}}, "budget"), found)
    assert verdict.budget == f"{table}.{key}"
    assert verdict.reason
    return verdict


def test_every_limit_of_the_schema_has_a_judge_or_says_that_it_was_not_measured():
    for table, keys in TABLES.items():
        for key in keys:
            assert f"{table}.{key}" in JUDGES or table in NOT_MEASURED


@pytest.mark.parametrize(
    ("slower", "outcome"), [(1.0, PASS), (0.7, PASS), (1.05, INCONCLUSIVE), (1.1, FAIL)]
)
def test_latency_is_judged_by_the_whole_interval(slower, outcome):
    verdict = only("latency", "max_ratio", 1.05, evidence(slower))
    assert verdict.outcome is outcome
    assert verdict.low < verdict.value < verdict.high


def test_a_limit_that_timing_cannot_resolve_points_to_instructions():
    verdict = only("latency", "max_ratio", 1.005, evidence(1.0))
    assert verdict.outcome is INCONCLUSIVE
    assert "count instructions instead" in verdict.reason


def test_a_machine_on_which_the_baseline_differs_from_itself_is_not_trusted():
    restless = measured(record(1.0, bias=0.08, seed=2))
    verdict = only("latency", "max_ratio", 1.05, evidence(timing=restless))
    assert verdict.outcome is INCONCLUSIVE
    assert "times itself" in verdict.reason


@pytest.mark.parametrize(
    ("point", "spread", "outcome"),
    [(0.002, 0.003, PASS), (-0.01, 0.005, PASS), (0.02, 0.005, FAIL), (0.008, 0.005, INCONCLUSIVE)],
)
def test_accuracy_is_judged_by_its_one_sided_bounds(point, spread, outcome):
    verdict = only("accuracy", "max_drop", 0.01, evidence(dropped=drop(point, spread)))
    assert verdict.outcome is outcome


def test_an_open_question_says_how_many_samples_would_settle_it():
    found = evidence(dropped=drop(0.008, 0.005, samples_to_settle=3125))
    assert "about 3125 samples" in only("accuracy", "max_drop", 0.01, found).reason


def test_the_same_model_cannot_be_worse_than_itself_however_few_samples_there_are():
    twin = evidence(dropped=drop(0.0, 0.05), candidate=BEFORE)
    assert only("accuracy", "max_drop", 0.01, twin).outcome is PASS
    other = evidence(dropped=drop(0.0, 0.05))
    assert only("accuracy", "max_drop", 0.01, other).outcome is INCONCLUSIVE


@pytest.mark.parametrize(
    ("key", "limit", "outcome"),
    [("min_score", 0.9, PASS), ("min_score", 0.95, INCONCLUSIVE), ("min_score", 0.99, FAIL),
     ("min_agreement", 0.9, PASS), ("min_agreement", 0.97, INCONCLUSIVE),
     ("min_agreement", 0.99, FAIL)],
)  # fmt: skip
def test_scores_and_agreement_are_judged_by_their_bounds(key, limit, outcome):
    assert only("accuracy", key, limit, evidence()).outcome is outcome


def test_answers_in_floating_point_have_no_agreement_to_judge():
    floating = accuracy(against=(Against(0.9, drop(agreement=None)),))
    verdict = only("accuracy", "min_agreement", 0.9, evidence(accuracy=floating))
    assert verdict.outcome is INCONCLUSIVE
    assert "labels or text" in verdict.reason


@pytest.mark.parametrize(
    ("key", "limit", "outcome"),
    [("p50_ms", 50.0, PASS), ("p50_ms", 0.1, FAIL), ("p95_ms", 50.0, PASS), ("p95_ms", 0.1, FAIL)],
)
def test_percentiles_are_judged_by_order_statistics(key, limit, outcome):
    verdict = only("latency", key, limit, evidence())
    assert verdict.outcome is outcome
    assert verdict.confidence == "one-sided 99 % bounds by order statistics"


def test_too_few_calls_for_a_p99_say_how_many_are_missing():
    timing = measured(record(rounds=20))
    verdict = only("latency", "p99_ms", 50.0, evidence(timing=timing))
    assert verdict.outcome is INCONCLUSIVE
    assert verdict.reason == "240 calls, 219 are missing"
    enough = evidence(timing=measured(record(rounds=40)))
    assert only("latency", "p99_ms", 50.0, enough).outcome is PASS


@pytest.mark.parametrize(
    ("table", "key", "limit", "outcome"),
    [("size", "max_mb", 1.0, PASS), ("size", "max_mb", 0.9, FAIL), ("size", "max_ratio", 0.3, PASS),
     ("size", "max_ratio", 0.2, FAIL), ("memory", "peak_mb", 100, PASS),
     ("memory", "peak_mb", 50, FAIL), ("memory", "max_ratio", 1.0, PASS)],
)  # fmt: skip
def test_sizes_and_memory_are_judged_exactly(table, key, limit, outcome):
    assert only(table, key, limit, evidence()).outcome is outcome


@pytest.mark.parametrize(
    ("table", "key", "limit", "missing"),
    [
        ("accuracy", "max_drop", 0.01, "--baseline"),
        ("accuracy", "min_score", 0.5, "--task"),
        ("accuracy", "min_agreement", 0.5, "--baseline"),
        ("latency", "max_ratio", 1.05, "--baseline"),
        ("memory", "max_ratio", 1.05, "--baseline"),
        ("size", "max_ratio", 1.05, "--baseline"),
        ("instructions", "max_ratio", 1.01, "--baseline"),
        ("instructions", "max_millions", 5.0, "emulated Arm"),
        ("placement", "max_cpu_macs", "2%", "NPU"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive_and_says_what_is_missing(table, key, limit, missing):
    verdict = only(table, key, limit, evidence(baselines=(), accuracy=None))
    assert verdict.outcome is INCONCLUSIVE
    assert missing in verdict.reason


def test_a_candidate_that_crashes_fails_and_the_limits_stay_open():
    found = crashed("the process that ran it ended (signal SIGSEGV)")
    budget = {"accuracy": {"max_drop": 0.01}, "latency": {"max_ratio": 1.05, "p95_ms": 9.0}}
    verdicts = judge(parse_budget(budget, "budget"), found)
    assert [verdict.outcome for verdict in verdicts] == [FAIL, *[INCONCLUSIVE] * 3]
    assert "SIGSEGV" in verdicts[0].reason
    assert overall(verdicts) is FAIL


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"size": {"max_mb": 2}}, PASS),
        ({"size": {"max_mb": 2}, "instructions": {"max_ratio": 1.01}}, INCONCLUSIVE),
        ({"size": {"max_mb": 0.5}, "instructions": {"max_ratio": 1.01}}, FAIL),
    ],
)
def test_the_worst_verdict_is_the_verdict(limits, outcome):
    assert overall(judge(parse_budget(limits, "budget"), evidence())) is outcome


@pytest.mark.parametrize(
    ("ratio", "floor", "outcome"),
    [(1.0, 0.001, PASS), (1.009, 0.0005, PASS), (1.012, 0.001, FAIL), (1.02, 0.03, INCONCLUSIVE)],
)
def test_instructions_are_judged_to_what_two_counts_differ_by(ratio, floor, outcome):
    found = evidence(counts=(counts(ratio, floor=floor),))
    verdict = only("instructions", "max_ratio", 1.01, found)
    assert verdict.outcome is outcome
    assert verdict.value == pytest.approx(ratio)


@pytest.mark.parametrize(("limit", "outcome"), [(10.5, PASS), (9.5, FAIL), (10.0, INCONCLUSIVE)])
def test_millions_of_instructions_are_absolute(limit, outcome):
    found = evidence(baselines=(), counts=(counts(),))
    assert only("instructions", "max_millions", limit, found).outcome is outcome


def test_each_emulated_cpu_has_its_own_verdict():
    found = evidence(counts=(counts(1.0), counts(1.1, "arm://cortex-a53")))
    budget = parse_budget({"instructions": {"max_ratio": 1.01}}, "budget")
    verdicts = judge(budget, found)
    assert [(v.device, v.outcome) for v in verdicts] == [
        ("arm://cortex-a76", PASS),
        ("arm://cortex-a53", FAIL),
    ]


def test_small_losses_that_compound_fail_against_the_last_release():
    """4 % over the previous commit, but 12 % over the release."""
    found = evidence(
        baselines=(BEFORE, BEFORE),
        timing=measured(record(1.02, release=0.9, rounds=60)),
    )
    budget = parse_budget({"latency": {"max_ratio": 1.05}, "size": {"max_ratio": 1.0}}, "budget")
    verdicts = judge(budget, found)
    assert [verdict.outcome for verdict in verdicts] == [PASS, FAIL, PASS, PASS]
    assert [verdict.against for verdict in verdicts[:2]] == [
        "before.edgekit (baseline 1)",
        "before.edgekit (baseline 2)",
    ]


def test_a_device_that_disappeared_leaves_its_limits_open():
    gone = evidence(timing=None, missing={"timing": "the device disappeared: no answer"})
    for key, limit in (("max_ratio", 1.05), ("p95_ms", 9.0)):
        verdict = only("latency", key, limit, gone)
        assert verdict.outcome is INCONCLUSIVE
        assert "disappeared" in verdict.reason
    assert "disappeared" in only("memory", "peak_mb", 9.0, gone).reason


def metric(point, spread, floor=0.9):
    value = Estimate(floor, floor - 0.02, floor + 0.02, floor - 0.015, floor + 0.015, "bootstrap")
    return MetricFigures(value, (drop(point, spread),))


def test_metrics_of_the_task_have_limits_of_their_own():
    found = evidence(accuracy=accuracy(metrics={"recall": metric(0.03, 0.005)}))
    budget = {"metrics": {"recall": {"max_drop": 0.01, "min_value": 0.8}, "speed": {"max_drop": 1}}}
    verdicts = judge(parse_budget(budget, "budget"), found)
    assert [(v.budget, v.outcome) for v in verdicts] == [
        ("metrics.recall.max_drop", FAIL),
        ("metrics.recall.min_value", PASS),
        ("metrics.speed.max_drop", INCONCLUSIVE),
    ]
    assert "the task has no metric 'speed', it has recall" in verdicts[2].reason


def test_one_of_many_drops_that_fails_by_a_hair_may_be_chance():
    """Its own p value is 0.04; among ten limits that is no proof."""
    hair = metric(0.0165, 0.0061)
    others = {f"m{i}": metric(0.0, 0.005) for i in range(9)}
    found = evidence(accuracy=accuracy(metrics={"hair": hair, **others}))
    limits = {name: {"max_drop": 0.01} for name in ("hair", *others)}
    alone = parse_budget({"metrics": {"hair": {"max_drop": 0.01}}}, "budget")
    assert judge(alone, found)[0].outcome is FAIL
    verdict = judge(parse_budget({"metrics": limits}, "budget"), found)[0]
    assert verdict.outcome is INCONCLUSIVE
    assert "Holm" in verdict.reason


def test_a_drop_names_the_discordant_pairs_beside_the_bootstrap():
    against = Against(0.95, drop(0.02, 0.005), discordance=Discordance(14, 3, 0.0127))
    verdict = only("accuracy", "max_drop", 0.01, evidence(accuracy=accuracy(against=(against,))))
    assert verdict.outcome is FAIL
    assert verdict.reason.startswith("inferior at a margin of 0.01")
    assert "14 samples only the baseline got right" in verdict.reason


@pytest.mark.parametrize(
    ("key", "limit", "outcome"),
    [("min_precision", 0.9, PASS), ("min_recall", 0.99, FAIL),
     ("max_calibration_error", 0.99, PASS), ("max_calibration_error", 0.1, FAIL)],
)  # fmt: skip
def test_fidelity_is_judged_by_its_bounds(key, limit, outcome):
    figure = Estimate(0.95, 0.92, 0.98, 0.93, 0.97, "bootstrap")
    found = evidence(accuracy=accuracy(fidelity=Fidelity(figure, figure, figure)))
    assert only("fidelity", key, limit, found).outcome is outcome
    assert only("fidelity", key, limit, evidence()).outcome is INCONCLUSIVE


def test_explanations_are_judged_by_their_rank_agreement():
    alike = Estimate(0.8, 0.6, 0.95, 0.65, 0.92, "jackknife")
    against = Against(0.95, drop(), rank_agreement=alike)
    found = evidence(accuracy=accuracy(against=(against,)))
    for limit, outcome in ((0.6, PASS), (0.8, INCONCLUSIVE), (0.95, FAIL)):
        assert only("explanation", "min_rank_agreement", limit, found).outcome is outcome
