"""What is left to do: layers that share a cause together, and what that gives."""

from dataclasses import replace

import pytest
from edgekit_converters.costs.cost import Cost
from edgekit_converters.explain.answers import Blame, answers, fix, spans
from edgekit_converters.explain.causes import CAUSES
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.candidate import Candidate, Judged

from edgekit.measure.accuracy import Drop
from edgekit.measure.environment import local_environment

OUTLIER = next(each for each in CAUSES if each.name == "range outlier")
CONV = "int8_static_conv_perchannel"


def candidate(name, drop, ratio=0.5, limit=0.01):
    cost = Cost("latency", ratio, ratio, ratio, 1.0, ratio, "ms", 1, local_environment())
    judged = Judged(0.9, Drop(drop, drop, drop, drop, drop, 1.0, 9, 9, "written down", None))
    verdict = "in budget" if drop <= limit else "over budget"
    return Candidate(parse(name), verdict, cost=cost, calibration=judged)


FAILED = candidate(CONV, 0.12)


def test_layers_that_share_the_cause_are_advised_together_and_tried():
    asked = []

    def attempt(recipe):
        asked.append(recipe.name)
        return candidate(recipe.name, 0.002, 0.3)

    blame = Blame(OUTLIER, "conv", "Conv", (0, 1, 2, 7), 20)
    told = fix(FAILED, [FAILED], "keep {layer} float", blame, attempt)
    assert asked == [f"{CONV}_keep0.1.2.7"]
    assert told.startswith("keep the 4 layers that share the cause (0–2, 7) float: ")
    assert f"{CONV}_keep0.1.2.7 gives drop 0.20 [0.20, 0.20], 0.30×" in told
    assert told.endswith("(in budget)")


def test_what_was_tried_already_is_not_tried_again():
    kept = candidate(f"{CONV}_keep3", 0.05)
    told = fix(
        FAILED, [FAILED, kept], "keep {layer} float", Blame(OUTLIER, layers=(3,)), pytest.fail
    )
    gives = "drop 5.00 [5.00, 5.00], 0.50× [0.50, 0.50] (over budget)"
    assert told == f"it is not enough to keep layer 3 float: {kept.recipe.name} gives {gives}"


def test_without_time_the_recipe_is_named():
    told = fix(FAILED, [FAILED], "keep {layer} float", Blame(OUTLIER, layers=(3,), quantized=9))
    assert told == f"keep layer 3 float: `{CONV}_keep3`"


def test_where_every_layer_has_the_cause_nothing_is_left_to_keep():
    blame = Blame(OUTLIER, layers=(0, 1), quantized=2)
    told = fix(FAILED, [FAILED], "keep {layer} float", blame, pytest.fail)
    assert told == "all 2 layers in int8 have this cause: this int8 is not for this model"


def test_an_operator_without_a_number_is_left_float_by_another_recipe():
    failed = candidate("int8_static_all", 0.9)
    told = fix(failed, [failed], "keep {layer} float", Blame(OUTLIER, "/stft/Sqrt", "Sqrt"))
    assert told.startswith("keep Sqrt /stft/Sqrt float: a recipe of convolutions and products only")


def test_what_holds_is_said_with_its_figures_also_of_other_arithmetic():
    kin, other = candidate(f"{CONV}_keep1", 0.0, 0.4), candidate("int8_static_matmul", 0.0, 0.8)
    assert fix(FAILED, [FAILED, kin, other], "", Blame(OUTLIER)) == (
        f"{kin.recipe.name} holds (in budget): drop 0.00 [0.00, 0.00], 0.40× [0.40, 0.40]"
    )
    assert fix(FAILED, [FAILED, other], "", Blame(OUTLIER)).startswith(
        "of other int8, int8_static_matmul holds (in budget)"
    )


def test_the_answers_nearest_to_holding_come_first_and_the_rest_is_counted():
    others = [candidate(f"{CONV}_keep{number}", 0.1 - number / 100) for number in range(8)]
    others.append(replace(others[0], recipe=parse(f"{CONV}_mse"), verdict="twin"))
    told, further = answers(FAILED, [FAILED, *others], Blame(OUTLIER))
    assert [each.recipe for each in told] == [f"{CONV}_keep{n}" for n in (7, 6, 5, 4, 3, 2)]
    assert further == 2


@pytest.mark.parametrize(
    ("numbers", "told"), [([0, 1, 2, 5], "0–2, 5"), ([3], "3"), ([1, 2], "1–2"), ([], "")]
)
def test_runs_of_numbers_are_told_by_their_ends(numbers, told):
    assert spans(numbers) == told
