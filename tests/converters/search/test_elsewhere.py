"""Other libraries' int8 in the ladder: tried last, or said why not."""

import importlib.util
from types import SimpleNamespace

import pytest
from edgekit_converters import engines
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.elsewhere import elsewhere_rung, engines_asked, untried_rung
from edgekit_converters.search.rungs import RUNGS
from edgekit_converters.search.tried import Tried
from edgekit_converters.targets import load_target

from edgekit.errors import UsageError

PLAIN = "int8_static_all_perchannel"


def climbed(asked, target):
    """Names asked for, and reasons of those that are not, by name."""
    tried = Tried([])
    job = SimpleNamespace(target=load_target(target), engines=engines_asked(asked))
    rungs = (untried_rung, elsewhere_rung)
    names = [recipe.name for rung in rungs for recipe in rung(tried, job, None)]
    assert {each.verdict for each in tried.candidates} <= {"not tried"}
    return names, {each.recipe.name: each.why for each in tried.candidates}


@pytest.fixture
def here(monkeypatch):
    """Say which libraries are installed."""
    return lambda *names: monkeypatch.setattr(
        engines.importlib.util, "find_spec", lambda name: object() if name in names else None
    )


def test_a_library_that_is_here_is_tried_and_one_that_is_not_is_named(here):
    here("onnxsim")
    names, reasons = climbed("onnxsim,nncf", "cortex-a76")
    assert names == [f"{PLAIN}_onnxsim"]
    missing = "nncf is not installed (pip install 'edgekit[engines]')"
    assert reasons == {f"{PLAIN}_nncf": missing}


def test_products_that_saturate_are_left_to_libraries_that_know_seven_bits(here):
    here("onnxsim", "nncf")
    names, reasons = climbed("onnxsim,nncf", "x86-64-v3")
    assert names == [f"{PLAIN}_7bit_nncf"]
    assert "onnxsim cannot do 7bit" in reasons[f"{PLAIN}_7bit_onnxsim"]


def test_what_is_not_asked_for_says_how_to_ask(here):
    here("onnxsim", "nncf")
    names, reasons = climbed("none", "cortex-a76")
    assert names == []
    assert reasons[f"{PLAIN}_nncf"] == "not asked for (--engines nncf)"


def test_a_model_with_nothing_for_int8_is_left_to_no_library(here):
    here("onnxsim", "nncf")
    tried = Tried([Candidate(parse(PLAIN), verdict="not tried", why="the model is int8 already")])
    job = SimpleNamespace(target=load_target("cortex-a76"), engines=engines_asked("onnxsim,nncf"))
    assert list(elsewhere_rung(tried, job, None)) == []
    assert {each.why for each in tried.candidates} == {"the model is int8 already"}
    assert len(tried.candidates) == 3


def test_they_come_after_all_that_may_be_chosen_and_reasons_first():
    assert (RUNGS[0], RUNGS[-2]) == (untried_rung, elsewhere_rung)


@pytest.mark.parametrize("text", ["olive", "onnxsim,none", "onnxruntime", ""])
def test_an_engine_that_is_none_is_one_line(text):
    with pytest.raises(UsageError, match="is no engine; name any of onnxsim, nncf"):
        engines_asked(text)


def test_versions_are_part_of_what_a_search_depends_on():
    known = engines.versions_of(("onnxsim", "nncf"))
    assert set(known) == {n for n in ("onnxsim", "nncf") if importlib.util.find_spec(n)}
    assert all(version[0].isdigit() for version in known.values())
