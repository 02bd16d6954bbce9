"""Which layers stay float: decisions on verdicts that are written down."""

from edgekit_converters.costs.cost import Cost
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.revert import choose_layers
from edgekit_converters.search.tried import Tried

from edgekit.measure.environment import local_environment

BASE = parse("int8_static_all_perchannel")
ORDER = [5, 0, 9, 3, 7, 1, 2, 4, 6, 8, 10, 11]
"""Twelve layers, the worst first."""


def cost(ratio):
    return Cost("latency", ratio, ratio, ratio, 1.0, ratio, "ms", 1, local_environment())


def climb(holds, groups=()):
    """Every choice in order; one is in budget where `holds` says so, and costs what it keeps."""
    tried = Tried()
    for recipe in choose_layers(BASE, ORDER, groups, tried):
        assert tried.find(recipe) is None or recipe.keep
        verdict = "in budget" if holds(set(recipe.keep)) else "over budget"
        candidate = Candidate(recipe, verdict, cost=cost(0.5 + len(recipe.keep) / 40))
        if tried.find(recipe) is None:
            tried.candidates.append(candidate)
    return tried


def test_few_of_the_worst_are_found_and_what_is_not_needed_is_taken_back():
    tried = climb(lambda keep: {5, 9} <= keep)
    assert set(tried.best().recipe.keep) == {5, 9}
    assert len(tried.candidates) <= 12


def test_more_layers_that_make_it_worse_do_not_hide_fewer_that_hold():
    """Keeping 3 spoils what 5 and 0 mend: half of the layers is out of budget, two are in."""
    tried = climb(lambda keep: {5, 0} <= keep and 3 not in keep)
    assert set(tried.best().recipe.keep) == {5, 0}


def test_a_kind_of_layers_is_tried_for_itself():
    tried = climb(lambda keep: keep == {1, 8, 11}, groups=[(1, 8, 11)])
    assert tried.best().recipe.keep == (1, 8, 11)


def test_the_first_layers_of_the_graph_are_tried_where_the_worst_ones_do_not_help():
    tried = climb(lambda keep: set(range(7)) <= keep)
    assert set(tried.best().recipe.keep) == set(range(7))


def test_the_last_layers_of_the_graph_are_tried_too():
    tried = climb(lambda keep: {10, 11} <= keep and 0 not in keep)
    assert {10, 11} <= set(tried.best().recipe.keep)


def test_where_nothing_holds_it_ends():
    tried = climb(lambda keep: False)
    assert {each.verdict for each in tried.candidates} == {"over budget"}
    assert len(tried.candidates) <= 10


def test_two_layers_leave_nothing_to_choose():
    assert list(choose_layers(BASE, [1, 0], [], Tried())) == []
