"""The ladder's decisions, on figures written down: no clock in these tests."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx
import pytest
from edgekit_converters.calibration.calls import Calls
from edgekit_converters.costs.cost import Cost
from edgekit_converters.graph import opset
from edgekit_converters.importers import read_model
from edgekit_converters.passes import FORMS, FORMS_OF_ANY_SIZE
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.recipe import FP32, parse
from edgekit_converters.search import search
from edgekit_converters.search.attempt import attempt
from edgekit_converters.search.candidate import Candidate, Judged
from edgekit_converters.search.effort import PACKING_S, Effort
from edgekit_converters.search.evaluate import predict_with
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.ladder import PLAIN, suited
from edgekit_converters.search.search import (
    EXPLAINING_S,
    attempt_s,
    climb,
    fallback,
    judge_finalists,
    optimize,
    shortlist,
)
from edgekit_converters.search.workbench import Job, clean_up, drop_passes, prepare
from edgekit_converters.targets import Target, load_target
from networks import conv_net

from edgekit.errors import CrashError, ModelError, TaskError, UsageError
from edgekit.measure.accuracy import Drop, predict_all
from edgekit.measure.environment import local_environment
from edgekit.task import load_task


def cost(ratio, spread=0.05):
    return Cost(
        "latency", ratio, ratio - spread, ratio + spread, 1.0, ratio, "ms", 100,
        local_environment(),
    )  # fmt: skip


def judged(point, spread=0.001):
    drop = Drop(
        point, point - spread, point + spread, point + spread, point - spread, 1.0, 100, 50,
        "written down", None,
    )  # fmt: skip
    return Judged(0.9 - point, drop)


@dataclass
class Written:
    """A meter whose figures were written down, by recipe name."""

    ratios: dict
    asked: list = field(default_factory=list)
    kind: str = "latency"
    about: str = "written down"
    is_slow: bool = False

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        self.asked.append(("screen", candidate.stem))
        return cost(self.ratios.get(candidate.stem, 2.0))

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        self.asked.append(("measure", candidate.stem))
        return cost(self.ratios[candidate.stem])


class Crashing(Written):
    def screen(self, baseline, candidate):
        raise CrashError(str(candidate), "the process that ran it ended (SIGSEGV)", "look")


@pytest.fixture
def job(tmp_path, conv_path, task):
    folder = tmp_path / "work"
    folder.mkdir()
    return Job(read_model(conv_path), task, load_target("host"), Goal(0.01), folder, 0, Silent())


@pytest.fixture
def bench(job):
    return prepare(job)


A, B, C, D = (parse(f"int8_static_{name}") for name in ("all", "conv", "matmul", "conv+matmul"))


def tried(recipe, ratio, drop, verdict="in budget"):
    return Candidate(recipe, verdict, cost=cost(ratio), calibration=judged(drop))


def test_the_cheapest_in_budget_comes_first(job):
    ordered = shortlist([tried(A, 0.8, 0.0), tried(B, 0.5, 0.009), tried(C, 0.6, 0.001)], job)
    assert [each.recipe for each in ordered] == [B, C, A]


def test_over_budget_by_chance_comes_last_and_over_budget_for_sure_never(job):
    chance = Candidate(A, "over budget", cost=cost(0.4), calibration=judged(0.02, spread=0.03))
    surely = Candidate(B, "over budget", cost=cost(0.3), calibration=judged(0.5))
    ordered = shortlist([chance, surely, tried(C, 0.9, 0.0)], job)
    assert [each.recipe for each in ordered] == [C, A]


def test_what_was_not_made_or_not_cheaper_is_no_finalist(job):
    slow = tried(B, 1.2, 0.0, "not cheaper")
    assert shortlist([Candidate(A, "not made", "why"), slow], job) == []


def made(recipe, job, bench, drop=0.0):
    path = job.folder / f"{recipe.name}.onnx"
    path.write_bytes(bench.grounds.whole.model.SerializeToString())
    return replace(tried(recipe, 0.5, drop), path=path)


def test_the_first_finalist_that_holds_is_chosen_and_no_other_looks(job, bench):
    meter = Written({A.name: 0.5, B.name: 0.6})
    bench = replace(bench, meter=meter)
    finalists = [made(A, job, bench), made(B, job, bench)]
    found, looks = judge_finalists(finalists, job, bench)
    assert found[A].verdict == "chosen"
    assert found[A].evaluation is not None
    assert B not in found
    assert looks == 1


def test_narrower_than_one_that_failed_takes_no_look(job, bench, monkeypatch):
    """Looks are few: what lost more channels than a failure would waste one."""
    mild, more, other = (replace(A, prune=33), replace(A, prune=40), replace(A, prune=18))
    bench = replace(bench, meter=Written({each.name: 0.5 for each in (mild, more, other)}))

    def fail_mild(candidate, job, bench):
        verdict = "over budget" if candidate.recipe == mild else "chosen"
        return replace(candidate, verdict=verdict, evaluation=judged(0.02))

    monkeypatch.setattr(search, "look", fail_mild)
    finalists = [made(each, job, bench) for each in (mild, more, other)]
    found, looks = judge_finalists(finalists, job, bench)
    assert [found[each].verdict for each in (mild, more, other)] == [
        "over budget", "over budget", "chosen"
    ]  # fmt: skip
    assert found[more].why.startswith("int8_static_all_prune33 has more channels")
    assert looks == 2


def test_a_finalist_that_is_not_proven_cheaper_never_sees_the_evaluation_split(job, bench):
    bench = replace(bench, meter=Written({A.name: 0.97, B.name: 0.5}))
    finalists = [made(A, job, bench), made(B, job, bench)]
    found, looks = judge_finalists(finalists, job, bench)
    assert found[A].verdict == "not cheaper"
    assert found[A].evaluation is None
    assert (found[B].verdict, looks) == ("chosen", 1)


TRUTH = """
import json
from pathlib import Path

TRUTH = json.loads(Path(__file__).with_name("truth.json").read_text())

def score(predictions, labels):
    return sum(p == t for p, t in zip(predictions, TRUTH, strict=False)) / len(predictions)
"""


def test_a_finalist_that_fails_is_followed_by_the_next(job, bench):
    """What the clean model says is the truth; A is another network, B the clean one again."""
    truth = bench.evaluation.predictions
    path = job.task.path.with_name("true.py")
    path.with_name("truth.json").write_text(str(truth))
    path.write_text(job.task.path.read_text() + TRUTH)
    job = replace(job, task=load_task(path))
    evaluation = job.predict(bench.source.file, "evaluation", "scoring", None)
    bench = replace(bench, evaluation=evaluation, meter=Written({A.name: 0.5, B.name: 0.6}))
    other, same = made(A, job, bench), made(B, job, bench)
    other.file.write_bytes(conv_net(seed=8).SerializeToString())
    found, looks = judge_finalists([other, same], job, bench)
    assert found[A].verdict == "over budget"
    assert found[A].evaluation.drop.point > 0.1
    assert found[B].verdict == "chosen"
    assert looks == 2


def test_certify_demands_the_bound(job, bench):
    """12 equal answers in 6 groups bound the drop at far more than a point."""
    bench = replace(bench, meter=Written({A.name: 0.5}))
    strict = replace(job, goal=Goal(0.01, certify=True))
    found, _ = judge_finalists([made(A, job, bench)], strict, bench)
    assert found[A].verdict == "not certified"
    assert found[A].evaluation.drop.samples_to_settle > 12
    loose = replace(job, goal=Goal(0.9, certify=True))
    found, _ = judge_finalists([made(A, job, bench)], loose, bench)
    assert found[A].verdict == "chosen"


def test_what_screens_no_cheaper_is_not_scored(job, bench):
    bench = replace(bench, meter=Written({}))
    candidate = attempt(PLAIN[0], job, bench)
    assert candidate.verdict == "not cheaper"
    assert candidate.calibration is None
    assert candidate.path.exists()


def test_what_screens_cheaper_is_scored_on_the_calibration_split(job, bench):
    bench = replace(bench, meter=Written({PLAIN[0].name: 0.5}))
    candidate = attempt(PLAIN[0], job, bench)
    assert candidate.verdict == "in budget"
    assert candidate.calibration.score == 1.0
    assert candidate.evaluation is None
    assert candidate.lowered == {"Conv": 2, "Gemm": 1}


def test_a_candidate_that_crashes_its_runner_is_a_candidate_with_a_reason(job, bench):
    candidate = attempt(PLAIN[0], job, replace(bench, meter=Crashing({})))
    assert candidate.verdict == "not made"
    assert "SIGSEGV" in candidate.why


def test_a_candidate_whose_outputs_changed_shape_or_became_nan_is_not_made(job, bench, monkeypatch):
    import edgekit_converters.search.attempt as module

    other = conv_net(size=16)
    other.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    other.graph.node[-1].op_type = "Gemm"
    for tensor in other.graph.initializer:
        if tensor.name == "b3":
            tensor.raw_data = b"\xff" * len(tensor.raw_data)  # NaN
    content = other.SerializeToString()
    monkeypatch.setattr(module, "build", lambda *_: module.Built(content, {"Conv": 1}, {}))
    candidate = attempt(PLAIN[0], job, bench)
    assert candidate.verdict == "not made"
    assert "no numbers" in candidate.why


def test_a_task_that_breaks_its_promise_ends_the_search(job, bench):
    broken = replace(job, task=load_task_without_answers(job))
    with pytest.raises(TaskError):
        attempt(PLAIN[0], broken, replace(bench, meter=Written({PLAIN[0].name: 0.5})))


def load_task_without_answers(job):
    path = job.task.path.with_name("broken.py")
    path.write_text(job.task.path.read_text().replace("int(run", "undefined(run"))
    return load_task(path)


def test_a_model_that_was_there_before_is_not_tried_again(job, bench):
    bench = replace(bench, meter=Written({PLAIN[0].name: 0.5}))
    first = attempt(PLAIN[0], job, bench)
    asked = list(bench.meter.asked)
    again = attempt(PLAIN[0], job, bench, [first])
    assert (again.verdict, again.why) == ("twin", f"it is the model of {PLAIN[0]}")
    assert bench.meter.asked == asked


def test_weights_get_seven_bits_where_products_saturate():
    avx2 = Target("avx2", "", "x86_64", frozenset({"avx2"}))
    assert suited(A, avx2).name == "int8_static_all_7bit"
    assert suited(parse("fp16"), avx2) == parse("fp16")
    assert suited(parse("int8_static_s16_conv"), avx2).seven_bit is False
    assert suited(A, Target("arm", "", "aarch64", frozenset())) == A


def test_a_tflite_model_is_refused(job):
    with pytest.raises(ModelError, match="only packed as it is"):
        prepare(replace(job, source=replace(job.source, model=None)))


@pytest.mark.parametrize("limit", [-0.1, 1.5, float("nan")])
def test_an_impossible_goal_is_refused(limit):
    with pytest.raises(UsageError, match="between 0 and 1"):
        Goal(limit)


def test_a_whole_search_keeps_its_promises_whatever_was_measured(job):
    """With the real clock: only what must hold on any machine is asserted."""
    recipes = [parse("int8_static_all_perchannel"), parse("int8_dynamic_all_perchannel")]
    result = optimize(job, [lambda *_: iter(recipes)])
    assert [each.recipe for each in result.candidates] == [FP32, *recipes]
    assert result.chosen in (result.baseline, *result.candidates)
    assert result.baseline.evaluation.score == 1.0
    assert result.chosen.evaluation.drop.point <= job.goal.max_drop
    if result.chosen.recipe.precision not in ("fp32", "as-is"):
        assert result.chosen.cost.is_cheaper
    answers = predict_all(job.task, lambda feeds: {"y": feeds["x"][0, 0]}, "calibration")
    assert len(answers.labels) == result.calibration.samples


@pytest.mark.parametrize(
    ("forms", "sizes"), [(FORMS, [1, 3, 16, 16]), (FORMS_OF_ANY_SIZE, [0, 3, 16, 16])]
)
def test_open_sizes_are_fixed_where_it_pays_unless_they_are_to_stay(job, forms, sizes):
    job = replace(job, forms=forms)
    calls = Calls(0)
    predict_with(job.source.path, job.task, "calibration", watch=calls.calibrating)
    model, passes = clean_up(job.source.model, job, calls, Written({"after": 0.5}))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == sizes
    assert ("static-shapes" in {each.name for each in passes}) == (forms == FORMS)


def test_where_passes_cost_time_those_that_recipes_need_stay(job, tmp_path):
    path = tmp_path / "old.onnx"
    onnx.save(conv_net(opset=11), path)
    source = read_model(path)
    slow = Written({"fp32": 1.5, "before": 1.0, "after": 1.0})
    calls = Calls(0)
    predict_with(path, job.task, "calibration", watch=calls.calibrating)
    _, passes = clean_up(source.model, job, calls, slow)
    model, passes = drop_passes(source.model, passes, calls, "it is slower")
    outcomes = {each.name: each.outcome for each in passes}
    assert outcomes["opset-upgrade"] == "changed"
    assert outcomes["views"] == outcomes["static-shapes"] == "reverted"
    assert opset(model) == 13


def test_where_measuring_is_slow_each_arithmetic_over_budget_is_measured_once(
    job, bench, monkeypatch
):
    """Its cost says whether it is worth repairing; its repairs cost the same."""
    monkeypatch.setattr(Job, "judge", lambda *_: judged(0.5))
    bench = replace(bench, meter=Written({}, is_slow=True))
    names = ("int8_static_conv_perchannel", "int8_static_conv", "int8_static_conv_perchannel_mse")
    before = []
    for name in names:
        before.append(attempt(suited(parse(name), job.target), job, bench, before))
    assert [each.cost is not None for each in before] == [True, False, False]
    assert before[0].verdict == "not cheaper"
    assert {each.verdict for each in before[1:]} == {"over budget"}


@pytest.mark.parametrize(("ratio", "chosen"), [(1.0, "as-is"), (0.8, "fp32")])
def test_a_clean_model_twice_the_size_is_shipped_only_where_it_is_cheaper(
    job, bench, ratio, chosen
):
    clean = replace(bench.clean, cost=cost(ratio), size_bytes=2 * bench.source.size_bytes)
    found = fallback(clean, job, bench)
    assert found.recipe.name == chosen
    assert ("larger" in found.why) == (chosen == "as-is")


def test_a_narrower_model_is_not_begun_where_there_is_no_time_for_it(job, bench):
    """ppocr: narrowing took 42 CPU-seconds, other candidates 5."""
    effort = Effort(limit_s=100.0)
    effort._taken_s.update({"attempt": [5.0], "calibrating": [2.5]})
    job = replace(job, effort=effort)
    assert attempt_s(A, job, bench) == 5.0
    assert attempt_s(replace(FP32, prune=18), job, bench) == 30.0
    effort._taken_s["narrowing"] = [42.0]
    assert attempt_s(replace(FP32, prune=25), job, bench) == 47.0


def test_a_search_ends_where_what_is_left_is_for_judging_and_packing(job, bench):
    job = replace(job, effort=Effort(limit_s=EXPLAINING_S + PACKING_S))
    tried, why = climb([lambda *_: iter([A])], job, bench)
    assert [each.recipe for each in tried] == [bench.clean.recipe]
    assert why.endswith("CPU-seconds there was time for no more, int8_static_all was not tried")
