"""Errors name the thing, the value and the way out, and their docstring draws the whole tree."""

import inspect
import pickle
import re

import pytest

from edgekit import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.EdgekitError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_one_line_of_thing_problem_and_way_out(kind):
    assert str(kind("file 'a'", "it is empty", "fill it")) == "file 'a': it is empty; fill it"


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_crosses_a_process_border_whole(kind):
    error = pickle.loads(pickle.dumps(kind("a", "b", "c")))
    assert type(error) is kind
    assert (error.thing, error.problem, error.way_out) == ("a", "b", "c")


def test_the_docstring_draws_every_class_with_its_exit_code():
    drawn = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__))
    assert drawn == {kind.__name__: str(kind.exit_code) for kind in CLASSES}
