from dataclasses import replace

import pytest
from edgekit_converters.recipes.recipe import (
    ACTIVATIONS,
    FP32,
    MAKERS,
    OPERATORS,
    PRECISIONS,
    RANGINGS,
    REPAIRS,
    SCHEMES,
    SPARSITIES,
    Recipe,
    parse,
)
from edgekit_converters.search.ladder import PLAIN
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import UsageError

keep = st.sets(st.integers(0, 400), max_size=5).map(lambda found: tuple(sorted(found)))
repairs = st.sets(st.sampled_from(REPAIRS)).map(
    lambda found: tuple(each for each in REPAIRS if each in found)
)
fields = st.fixed_dictionaries(
    {
        "precision": st.sampled_from(PRECISIONS),
        "scheme": st.sampled_from((None, *SCHEMES)),
        "activation": st.sampled_from(ACTIVATIONS),
        "operators": st.sampled_from((None, *OPERATORS)),
        "per_channel": st.booleans(),
        "seven_bit": st.booleans(),
        "ranges": st.sampled_from(RANGINGS),
        "repairs": repairs,
        "keep": keep,
        "prune": st.integers(0, 95),
        "engine": st.sampled_from(MAKERS),
        "sparse": st.sampled_from(SPARSITIES),
    }
)
static_recipes = fields.map(
    lambda given: Recipe(
        **given
        | {"precision": "int8", "scheme": "static", "operators": given["operators"] or "all"}
        | {"sparse": ""}
        | ({"seven_bit": False} if given["activation"] == "s16" else {})
    )
)


@given(static_recipes)
def test_a_name_reads_back_as_its_recipe(recipe):
    assert parse(recipe.name) == recipe


@given(fields)
def test_any_fields_make_a_recipe_that_reads_back_or_are_refused_in_one_line(given):
    refusal = ""
    try:
        recipe = Recipe(**given)
    except UsageError as refused:
        refusal = str(refused)
    else:
        assert parse(recipe.name) == recipe
    assert "\n" not in refusal


def test_names_say_what_is_done():
    assert [recipe.name for recipe in PLAIN[:3]] == [
        "int8_static_all_perchannel",
        "int8_static_all",
        "int8_static_conv+matmul_perchannel",
    ]
    recipe = replace(
        parse("int8_static_conv_perchannel"),
        ranges="mse",
        repairs=("equalize", "bias"),
        keep=(3, 7),
        prune=25,
    )
    assert recipe.name == "int8_static_conv_perchannel_mse_equalize_bias_keep3.7_prune25"
    assert parse("int4_weightonly_matmul").precision == "int4"
    assert parse("int8_static_s8_all_nncf").engine == "nncf"
    assert parse("fp16_keep0").keep == (0,)


def test_no_recipe_is_tried_twice():
    assert len(set(PLAIN)) == len(PLAIN)
    assert FP32 not in PLAIN


@pytest.mark.parametrize(
    "name",
    [
        "",
        "int4",
        "int8",
        "int8_static",
        "fp16_static_all",
        "int8_all_static",
        "fp32_fp32",
        "fp32_keep1",
        "int4_static_all",
        "int8_dynamic_matmul_mse",
        "int8_static_all_bias_equalize",
        "int8_static_all_keep",
        "int8_static_all_keep3.3",
        "int8_static_all_keep7.3",
        "int8_static_all_keep٣",
        "int8_static_all_prune0",
        "int8_static_all_prune99",
        "int8_static_all_prune05",
        "int8_static_u8_all",
        "int8_static_all_minmax",
        "int8_weightonly_conv",
        "int8_dynamic_all_nncf",
        "as-is_prune5",
    ],
)
def test_other_names_are_refused(name):
    with pytest.raises(UsageError):
        parse(name)


def test_half_a_recipe_is_refused():
    with pytest.raises(UsageError, match="scheme and operators"):
        Recipe(precision="int8", scheme="static")
