import pytest
from edgekit_converters.recipe import FP32, OPERATORS, RECIPES, SCHEMES, Recipe, parse
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import UsageError

int8_recipes = st.builds(
    Recipe,
    precision=st.just("int8"),
    scheme=st.sampled_from(SCHEMES),
    operators=st.sampled_from(OPERATORS),
    per_channel=st.booleans(),
    seven_bit=st.booleans(),
)
recipes = st.one_of(int8_recipes, st.sampled_from([FP32, Recipe(precision="fp16")]))


@given(recipes)
def test_a_name_reads_back_as_its_recipe(recipe):
    assert parse(recipe.name) == recipe


def test_names_say_what_is_done():
    assert [recipe.name for recipe in RECIPES[:3]] == [
        "int8_static_all_perchannel",
        "int8_static_all",
        "int8_static_conv+matmul_perchannel",
    ]


def test_no_recipe_is_tried_twice():
    assert len(set(RECIPES)) == len(RECIPES)
    assert FP32 not in RECIPES


@pytest.mark.parametrize(
    "name", ["", "int4", "int8", "int8_static", "fp16_static_all", "int8_all_static", "fp32_fp32"]
)
def test_other_names_are_refused(name):
    with pytest.raises(UsageError):
        parse(name)


def test_half_a_recipe_is_refused():
    with pytest.raises(UsageError, match="scheme and operators"):
        Recipe(precision="int8", scheme="static")
