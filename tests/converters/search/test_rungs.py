"""What the ladder asks for next, on figures that are written down."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from edgekit_converters.costs.cost import Cost
from edgekit_converters.recipes.recipe import FP32, parse
from edgekit_converters.search import rungs
from edgekit_converters.search.candidate import Candidate, Judged
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.rungs import narrow_rung, plain_rung, repair_rung
from edgekit_converters.search.tried import Tried
from edgekit_converters.targets import Target, load_target
from networks import conv_net, embedding_net
from oddmodels import quantized, strings
from zoo import recurrent

from edgekit.errors import ModelError
from edgekit.measure.accuracy import Drop
from edgekit.measure.environment import local_environment

ALL = "int8_static_all_perchannel"


def candidate(name, ratio, point, limit=0.01):
    cost = Cost("latency", ratio, ratio, ratio, 1.0, ratio, "ms", 1, local_environment())
    drop = Drop(point, point, point, point, point, 1.0, 100, 50, "written down", None)
    verdict = "in budget" if point <= limit else "over budget"
    return Candidate(parse(name), verdict, cost=cost, calibration=Judged(0.9 - point, drop))


def climb(rung, figures, model=None, target="host", known=()):
    """What a rung asks for, where `figures` tells each candidate's ratio and drop."""
    tried = Tried([candidate("fp32", 1.0, 0.0), *known])
    where = target if isinstance(target, Target) else load_target(target)
    job = SimpleNamespace(target=where, goal=Goal(0.01))
    whole = SimpleNamespace(model=model or conv_net())
    bench = SimpleNamespace(grounds=SimpleNamespace(whole=whole))
    asked = []
    for recipe in rung(tried, job, bench):
        asked.append(recipe.name)
        if tried.find(recipe) is None:
            tried.candidates.append(candidate(recipe.name, *figures(recipe)))
    return asked, tried


@pytest.mark.parametrize(
    ("target", "tried", "skipped"),
    [
        ("cortex-a53", "int8_static_s8_all_perchannel", "fp16"),
        ("cortex-a76", "fp16", "int8_static_s8_all_perchannel"),
        ("x86-64-v4", "int8_static_all_perchannel_7bit", "fp16"),
    ],
)
def test_cpu_features_decide_what_is_tried(target, tried, skipped):
    asked, all_of_it = climb(plain_rung, lambda recipe: (1.2, 0.0), target=target)
    assert tried in asked
    assert skipped not in asked
    assert all_of_it.find(parse(skipped)).verdict == "not tried"
    assert all_of_it.find(parse(skipped)).why


def test_a_model_without_convolutions_is_not_tried_with_them():
    asked, tried = climb(plain_rung, lambda recipe: (1.2, 0.0), embedding_net())
    assert "int8_static_matmul_perchannel" in asked
    assert tried.find(parse("int8_static_conv_perchannel")).why == "the model has no convolution"


def test_parts_of_what_holds_and_is_much_cheaper_are_left_out():
    asked, tried = climb(plain_rung, lambda recipe: (0.5, 0.0))
    assert "int8_static_pointwise_perchannel" not in asked
    assert "in budget and much cheaper" in tried.find(parse("int8_static_matmul_perchannel")).why
    assert "int8_dynamic_matmul_perchannel" in asked
    asked, _ = climb(plain_rung, lambda recipe: (0.5, 0.5))
    assert "int8_static_pointwise_perchannel" in asked


@pytest.mark.parametrize(
    ("maker", "why"),
    [(strings, "no matrix product and no LSTM"), (quantized, "the model is int8 already")],
)
def test_a_model_with_nothing_for_int8_is_told_so_and_spared(maker, why):
    asked, tried = climb(plain_rung, lambda recipe: (0.5, 0.0), maker())
    assert [name for name in asked if not name.startswith("fp")] == []
    assert why in tried.find(parse(ALL)).why


def test_scales_of_whole_weights_are_tried_where_there_is_an_lstm():
    names = {"int8_dynamic_all", "int8_dynamic_all_perchannel"}
    asked, _ = climb(plain_rung, lambda recipe: (0.9, 0.0), recurrent())
    assert names <= set(asked)
    asked, tried = climb(plain_rung, lambda recipe: (0.9, 0.0))
    assert not names & set(asked)
    assert tried.find(parse("int8_dynamic_all")).why.startswith("the model has no LSTM")


def test_only_what_is_cheaper_than_the_best_is_repaired_until_one_holds():
    over, slow = candidate(ALL, 0.5, 0.05), candidate("int8_static_conv", 0.9, 0.05)
    best = candidate("int8_static_matmul", 0.8, 0.0)
    asked, _ = climb(
        repair_rung, lambda recipe: (0.5, 0.0 if recipe.repairs else 0.03), known=[over, slow, best]
    )
    assert asked == [f"{ALL}_mse", f"{ALL}_mse_bias"]


def test_far_over_budget_only_what_moves_weights_is_tried_further():
    asked, _ = climb(repair_rung, lambda recipe: (0.5, 0.2), known=[candidate(ALL, 0.5, 0.3)])
    assert asked == [f"{ALL}_{end}" for end in ("mse", "mse_bias", "equalize_bias", "smooth")]


def test_layers_are_taken_back_from_static_and_from_dynamic_int8_alike(monkeypatch):
    def kept(base, tried, ground):
        yield replace(base.recipe, keep=(1,))

    monkeypatch.setattr(rungs, "reverted", kept)
    known = [candidate(name, 0.5, 0.03) for name in ("int8_dynamic_all", "int8_static_all")]
    asked, _ = climb(rungs.revert_rung, lambda recipe: (0.6, 0.0), known=known)
    assert asked == ["int8_dynamic_all_keep1", "int8_static_all_keep1"]
    asked, _ = climb(
        rungs.revert_rung, lambda recipe: (0.6, 0.0), known=[candidate("fp16", 0.5, 0.03)]
    )
    assert asked == []


def test_layers_that_cannot_be_ranked_are_told(monkeypatch):
    def too_large(base, tried, ground):
        raise ModelError(
            "tensor 'h'", "1 MB are needed, 0 MB of the cap are free", "raise --memory"
        )
        yield

    told = []
    monkeypatch.setattr(rungs, "reverted", too_large)
    known = [candidate("int8_dynamic_all", 0.5, 0.03)]
    job = SimpleNamespace(progress=SimpleNamespace(note=told.append))
    bench = SimpleNamespace(grounds=SimpleNamespace(whole=None))
    assert list(rungs.revert_rung(Tried([candidate("fp32", 1.0, 0.0), *known]), job, bench)) == []
    assert told[0].endswith("0 MB of the cap are free; raise --memory")


def test_the_best_goes_narrower_as_long_as_it_holds():
    def figures(recipe):
        return 0.5 - recipe.prune / 200, 0.0 if recipe.prune <= 25 else 0.05

    asked, tried = climb(narrow_rung, figures, known=[candidate(ALL, 0.5, 0.0)])
    assert asked == ["fp32_prune18", *(f"{ALL}_prune{share}" for share in (18, 25, 33))]
    assert tried.best().recipe.prune == 25


def test_fp32_goes_narrower_itself_where_nothing_else_is_cheaper():
    asked, _ = climb(narrow_rung, lambda recipe: (0.8, 0.0 if recipe.prune < 33 else 0.05))
    assert asked == ["fp32_prune18", "fp32_prune25", "fp32_prune33"]


def test_less_is_tried_where_the_start_is_a_little_too_much():
    def figures(recipe):
        return 0.9, 0.0 if recipe.prune <= 9 else 0.02

    asked, _ = climb(narrow_rung, figures)
    assert asked == ["fp32_prune18", "fp32_prune12", "fp32_prune9"]


def test_where_the_start_is_far_off_nothing_more_is_tried():
    assert climb(narrow_rung, lambda recipe: (0.8, 0.2))[0] == ["fp32_prune18"]


def test_the_clean_model_is_the_best_where_nothing_else_is():
    assert Tried([candidate("fp32", 1.0, 0.0)]).best().recipe == FP32


@pytest.mark.parametrize(("ratio", "is_asked"), [(0.6, True), (0.49, False)])
def test_half_precision_is_left_out_where_something_costs_less_than_half(ratio, is_asked):
    asked, tried = climb(plain_rung, lambda recipe: (ratio, 0.0), target="cortex-a76")
    assert ("fp16" in asked) is is_asked
    if not is_asked:
        assert "halves at best" in tried.find(parse("fp16")).why


def test_where_measuring_is_slow_the_cost_of_an_arithmetic_stands_for_its_repairs():
    """basic-pitch on emulated Arm: `all` costs more than `conv`, which was never mended."""
    dear = candidate("int8_static_all_perchannel", 0.8, 0.10)
    cheap = candidate("int8_static_conv_perchannel", 0.3, 0.12)
    mended = replace(candidate("int8_static_all_perchannel_mse", 0.8, 0.09), cost=None)
    unknown = replace(candidate("int8_dynamic_matmul_perchannel", 0.8, 0.09), cost=None)
    best = candidate("fp32_prune18", 0.64, 0.0)
    tried = Tried([candidate("fp32", 1.0, 0.0), dear, cheap, mended, unknown, best], is_slow=True)
    assert tried.tempting() == [cheap, unknown]
