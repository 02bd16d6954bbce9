"""From marks to counts."""

import pytest

from edgekit.errors import InternalError
from edgekit.measure.devices.counting import median, regions_of
from edgekit.measure.devices.measurement import Counts


def test_a_region_is_what_was_counted_between_two_equal_marks():
    lines = [b"1 0 100 10 1\n", b"1 0 150 20 3\n", b"3 1 200 30 5\n", b"3 1 900 70 9\n"]
    assert regions_of(lines) == {(1, 0): [Counts(50, 10, 2)], (3, 1): [Counts(700, 40, 4)]}


def test_without_memory_a_line_ends_after_the_instructions():
    assert regions_of([b"1 0 100\n", b"1 0 150\n"]) == {(1, 0): [Counts(50)]}
    assert median([Counts(1), Counts(2), Counts(9)]) == Counts(2)


@pytest.mark.parametrize("lines", [[b"1 0 100 10 1\n"], [b"1 0 100 10 1\n", b"3 0 150 20 3\n"]])
def test_a_mark_without_its_partner_is_a_bug_and_says_so(lines):
    with pytest.raises(InternalError, match="no partner"):
        regions_of(lines)


def test_the_median_is_of_each_count_apart():
    counts = [Counts(1, 30, 2), Counts(2, 10, 2), Counts(9, 20, 5)]
    assert median(counts) == Counts(2, 20, 2)
    assert median(counts[:2]) == Counts(2, 20, 2)
