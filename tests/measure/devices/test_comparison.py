"""Bit for bit: what counts as different."""

import numpy as np
import pytest

from edgekit.measure.devices.comparison import differences, host_arrays
from edgekit.measure.samples import Samples, given_samples

ONE = np.array([[1.0, 2.0], [3.0, np.nan]], np.float32)


def test_equal_bits_differ_in_nothing_not_even_where_they_are_no_number():
    assert differences(0, {"output y": ONE.copy()}, {"output y": ONE}) == []


def test_a_zero_with_the_other_sign_is_a_difference_of_no_size():
    (found,) = differences(3, {"output y": np.float32([-0.0])}, {"output y": np.float32([0.0])})
    assert (found.name, found.sample, found.different, found.largest) == ("output y", 3, 1, 0.0)


def test_values_that_differ_are_counted_and_measured():
    other = np.array([[1.0, 2.5], [3.0, np.nan]], np.float32)
    (found,) = differences(0, {"output y": other}, {"output y": np.nan_to_num(ONE, nan=7.0)})
    assert (found.different, found.values, found.largest) == (2, 4, np.inf)


@pytest.mark.parametrize("other", [ONE[:1], ONE.astype(np.float64), None])
def test_another_shape_or_dtype_or_none_at_all_differs_in_every_value(other):
    found = {} if other is None else {"output y": other}
    (difference,) = differences(0, found, {"output y": ONE})
    assert difference.different == difference.values == 4


def test_strings_are_compared_too():
    one, other = np.array(["a", "b"]), np.array(["a", "c"])
    (found,) = differences(0, {"output y": other}, {"output y": one})
    assert found.different == 1


def test_the_host_gives_features_of_raw_samples_only(models, feeds_64):
    from featurebundle import audio

    (raw,) = host_arrays(models["features"], Samples((audio(),), raw=True, source="audio"))
    assert sorted(raw) == ["features features", "output scores"]
    outputs = list(host_arrays(models["ten"], given_samples(feeds_64)))
    assert [sorted(each) for each in outputs] == [["output y"]] * 2
