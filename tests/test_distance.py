import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edgekit.distance import effective_size, equal_cells, ks_interval, ks_margin, psi_interval

EDGES = np.concatenate([[-np.inf], np.linspace(-4, 4, 65), [np.inf]])


def drawn(random, groups, values, alike, shift=0.0):
    """Histograms of each group: normal values, `alike` of their variance shared in a group."""
    own = random.normal(0, math.sqrt(1 - alike), (groups, values))
    shared = random.normal(0, math.sqrt(alike), (groups, 1))
    return np.array([np.histogram(shift + row, EDGES)[0] for row in shared + own])


def index(first, second, sizes):
    """The index over ten cells of equal share, as the gate makes it."""
    cells = equal_cells(first)
    return psi_interval(np.bincount(cells, first), np.bincount(cells, second), sizes)


def apart(shift):
    """The true distance and index of normal values and shifted ones."""
    p, q = (np.diff(stats.norm.cdf(EDGES - s)) for s in (0.0, shift))
    return np.abs(np.cumsum(p - q)).max(), index(p, q, (1e12, 1e12)).point


def test_the_distance_is_scipys():
    random = np.random.default_rng(0)
    first, second = random.integers(0, 20, 300), random.integers(2, 22, 200)
    counts = [np.bincount(each, minlength=22) for each in (first, second)]
    expected = stats.ks_2samp(first, second).statistic
    assert ks_interval(*counts, (300, 200)).point == pytest.approx(expected)


def test_the_margin_is_kolmogorovs():
    for alpha in (0.05, 0.01):
        expected = stats.kstwobign.ppf(1 - alpha) * math.sqrt(1 / 300 + 1 / 200)
        assert ks_margin((300, 200), alpha) == pytest.approx(expected, rel=1e-3)


def test_the_index_is_jeffreys_divergence_of_scipys_entropies():
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.4, 0.2])
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert psi_interval(p * 1e9, q * 1e9, (1e9, 1e9)).point == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("groups", "values", "alike"),
    [((8, 8), 50, 0.25), ((8, 150), 50, 0.25), ((60, 60), 50, 0.9), ((200, 200), 1, 0.0),
     ((20, 20), 500, 0.5)],
)  # fmt: skip
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.6])
def test_distance_and_index_are_outside_of_their_intervals_in_at_most_one_run_of_twenty(
    groups, values, alike, shift
):
    random = np.random.default_rng(1)
    distance, stability = apart(shift)
    missed, runs = np.zeros(4), 150
    for _ in range(runs):
        first, second = (
            drawn(random, count, values, alike, by)
            for count, by in zip(groups, (0.0, shift), strict=True)
        )
        sizes = effective_size(first), effective_size(second)
        ks = ks_interval(first.sum(axis=0), second.sum(axis=0), sizes)
        psi = index(first.sum(axis=0), second.sum(axis=0), sizes)
        missed += [ks.low > distance, ks.high < distance, psi.low > stability, psi.high < stability]
    allowed = 0.05 * runs + 2 * math.sqrt(runs * 0.05 * 0.95)
    assert missed.max() <= allowed, missed / runs


def test_taking_the_values_of_a_group_as_independent_would_cry_wolf():
    """The classical test of the same data, which these intervals replace."""
    random = np.random.default_rng(2)
    alarms, runs = {"classical": 0, "grouped": 0}, 100
    for _ in range(runs):
        sides = [drawn(random, 20, 200, 0.3) for _ in range(2)]
        counts = [side.sum(axis=0) for side in sides]
        alarms["classical"] += ks_interval(*counts, (4000, 4000)).low > 0
        sizes = effective_size(sides[0]), effective_size(sides[1])
        alarms["grouped"] += ks_interval(*counts, sizes).low > 0
    assert alarms["classical"] > 0.9 * runs
    assert alarms["grouped"] <= 0.05 * runs


def test_values_that_groups_do_not_share_count_one_each_and_copies_count_as_one():
    random = np.random.default_rng(3)
    independent = drawn(random, 400, 20, 0.0)
    assert effective_size(independent) == pytest.approx(8000, rel=0.15)
    copies = np.array(
        [np.bincount([value], minlength=9) * 20 for value in random.integers(0, 9, 400)]
    )
    assert effective_size(copies) == pytest.approx(400, rel=0.15)


def test_one_group_counts_nothing_and_a_constant_counts_its_groups():
    assert effective_size([[3, 4, 5]]) == 0.0
    assert effective_size(np.zeros((5, 3))) == 0.0
    constant = effective_size(np.tile([0, 40, 0], (50, 1)))
    assert 45 < constant < 50


def test_without_values_nothing_is_known():
    assert ks_interval([1, 2], [2, 1], (0, 5)) == (0.0, pytest.approx(1 / 3), 1.0)
    assert psi_interval([1, 2], [2, 1], (0, 5)).high == math.inf


@given(st.lists(st.integers(0, 50), min_size=1, max_size=70).filter(sum))
def test_cells_of_equal_share_are_neighbours_numbered_without_a_gap(counts):
    cells = equal_cells(counts)
    assert cells[0] == 0
    assert set(np.diff(cells)) <= {0, 1}
    assert cells[-1] <= 9


def test_where_one_cell_holds_all_values_on_either_side_are_seen():
    reference = [0, 0, 500, 0, 0]
    for moved in ([500, 0, 0, 0, 0], [0, 0, 0, 0, 500]):
        assert index(np.array(reference), np.array(moved), (100, 100)).low > 1.0
