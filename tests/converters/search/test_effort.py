"""What a search may take includes what is still to be done."""

import time

from edgekit_converters.search.effort import Effort, used_cpu_s


def burn(seconds):
    end_s = time.process_time() + seconds
    while time.process_time() < end_s:
        pass


def test_what_a_part_takes_is_remembered_as_the_average():
    effort = Effort()
    assert effort.usual_s("screen") == 0.0
    for seconds in (0.01, 0.05):
        with effort.timing("screen"):
            burn(seconds)
    assert 0.03 <= effort.usual_s("screen") <= effort.spent_s
    assert effort.usual_s("evaluation") == 0.0


def test_a_part_is_told_without_another_that_happened_in_it():
    effort = Effort()
    with effort.timing("attempt", without="narrowing"):
        with effort.timing("narrowing"):
            burn(0.1)
        burn(0.01)
    assert effort.usual_s("narrowing") >= 0.1
    assert 0.01 <= effort.usual_s("attempt") < 0.1


def test_there_is_room_for_what_ends_before_the_limit():
    effort = Effort(limit_s=100.0, started_s=used_cpu_s() - 60.0)
    assert effort.has_room(10.0, 20.0)
    assert not effort.has_room(10.0, 20.0, 15.0)
    assert not Effort(limit_s=0.0).has_room()
