"""Change points: false alarms as rare as promised, and planted changes found where they are."""

from math import comb

import numpy as np
import pytest

from edgekit.changes import change_points

DRAWS = {
    "normal": lambda random, n: random.normal(size=n),
    "heavy tails": lambda random, n: random.standard_t(1.5, n),
    "few different values": lambda random, n: random.integers(0, 3, n),
    "skewed": lambda random, n: random.lognormal(0.0, 1.0, n),
}


def at_most(rate, count, surely=1e-6):
    """As many false alarms as `count` series may have, but with a probability of `surely`."""
    tail, k = 1.0, 0
    while tail > surely:
        tail -= comb(count, k) * rate**k * (1 - rate) ** (count - k)
        k += 1
    return k


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("length", [8, 30, 100])
def test_a_level_that_never_moved_is_cut_as_rarely_as_promised(name, length):
    random = np.random.default_rng(length)
    found = [
        bool(change_points(DRAWS[name](random, length), alpha=0.05, seed=seed))
        for seed in range(300)
    ]
    assert sum(found) <= at_most(0.05, 300)


@pytest.mark.parametrize(("before", "after"), [(20, 10), (60, 5), (60, 60)])
def test_a_change_of_three_deviations_is_found_where_it_is(before, after):
    random = np.random.default_rng(0)
    places = []
    for seed in range(50):
        series = np.r_[random.normal(size=before), random.normal(3.0, 1.0, after)]
        places.append([change.at for change in change_points(series, seed=seed)])
    assert sum(len(each) == 1 for each in places) >= 45
    assert np.median([abs(each[0] - before) for each in places if each]) <= 1


def test_several_changes_are_all_found_with_the_levels_between_them():
    random = np.random.default_rng(1)
    levels = [10.0, 13.0, 10.0, 15.0]
    series = np.concatenate([random.normal(level, 0.5, 30) for level in levels])
    found = change_points(series)
    assert [change.at for change in found] == [30, 60, 90]
    assert [round(change.before) for change in found] == [10, 13, 10]
    assert found[-1].after == pytest.approx(15.0, abs=0.3)
    assert all(change.p_value <= 0.01 for change in found)


def test_a_step_of_an_exact_figure_is_found_after_three_gates():
    assert [c[:3] for c in change_points([5.0] * 20 + [5.1] * 3)] == [(20, 5.0, 5.1)]


def test_stray_values_are_no_change():
    series = [5.0] * 20
    assert change_points([*series, 9.0, 9.0]) == []
    assert change_points([*series[:10], 1e9, *series[10:]]) == []


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0], [3.0] * 50, [1.0] * 3 + [2.0] * 2])
def test_what_is_too_short_or_never_differs_has_no_change(series):
    assert change_points(series) == []


def test_the_unit_of_a_series_does_not_matter():
    random = np.random.default_rng(4)
    series = np.r_[random.normal(0, 1, 30), random.normal(4, 1, 30)]
    units = [(1.0, 0.0), (1e-9, 7e-9), (-1e9, 3.0)]
    places = [[change.at for change in change_points(series * k + b)] for k, b in units]
    assert places == [[30]] * 3
