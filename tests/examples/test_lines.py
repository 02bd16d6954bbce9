import importlib

import pytest


@pytest.fixture
def lines():
    return importlib.import_module("lines")


def test_the_splits_share_no_line(lines):
    calibration, evaluation = lines.lines("calibration"), lines.lines("evaluation")
    assert (len(calibration), len(evaluation)) == (48, 124)
    assert not set(calibration) & set(evaluation)
    assert len(set(evaluation)) == len(evaluation)


def test_the_lines_are_the_same_everywhere(lines):
    assert lines.lines("calibration")[:2] == (
        "Store the telescope at 7 to 19 degrees",
        "Why does the gearbox need 111 jackets?",
    )
    assert lines.lines("evaluation")[0] == "Call 285 20232 before 20:31"


def test_an_unknown_split_has_no_lines(lines):
    with pytest.raises(KeyError):
        lines.lines("training")
