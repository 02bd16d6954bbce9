import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.measure.explanation import attributions, parts_of, rank_agreement

WEIGHTS = np.random.default_rng(3).standard_normal((12, 12))


def linear(weights):
    return lambda feeds: {"y": np.array([(feeds["x"] * weights).sum()])}


def feeds(count=8):
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal((1, 12, 12)), "n": np.ones(1, np.int64)}] * count


def test_a_model_agrees_with_itself_and_with_one_that_only_scales():
    for other in (linear(WEIGHTS), linear(3 * WEIGHTS)):
        assert rank_agreement(linear(WEIGHTS), other, feeds()).point == pytest.approx(1.0)


def test_a_model_that_looks_elsewhere_does_not_agree():
    elsewhere = np.random.default_rng(9).standard_normal((12, 12))
    found = rank_agreement(linear(WEIGHTS), linear(elsewhere), feeds())
    assert abs(found.point) < 0.5


def test_what_matters_most_has_the_largest_attribution():
    weights = np.zeros((12, 12))
    weights[4:6, 8:10] = 5.0
    found = attributions(linear(weights), feeds(1)[0])
    assert int(np.argmax(found)) == 2 * 6 + 4
    assert np.count_nonzero(found) == 1


@pytest.mark.parametrize("shape", [(1, 3, 17, 30), (1, 16000), (5,), (1, 80, 3)])
def test_parts_cover_everything_once(shape):
    hits = np.zeros(shape, int)
    for part in parts_of(shape):
        hits[part] += 1
    assert (hits == 1).all()


def test_inputs_without_floats_cannot_be_explained():
    with pytest.raises(InputError, match="leave"):
        attributions(linear(WEIGHTS), {"n": np.ones(3, np.int64)})
