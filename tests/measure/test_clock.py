import ast
import time
from pathlib import Path

import pytest

import edgekit.measure
from edgekit.measure.clock import THREAD, Clock

linux = pytest.mark.skipif(THREAD is None, reason="this system does not tell a thread's waits")


@linux
def test_a_sleep_is_a_wait_and_takes_no_cpu_time():
    clock = Clock(threads=1)
    clock.start()
    time.sleep(0.01)
    wall_ns, cpu_ns, waited = clock.stop()
    assert waited
    assert wall_ns >= 10_000_000
    assert cpu_ns < wall_ns


@linux
def test_work_alone_is_no_wait_and_takes_cpu_time():
    clock = Clock(threads=1)
    clock.start()
    sum(range(100_000))
    stopped = clock.stop()
    assert not stopped.waited
    assert stopped.cpu_ns > 0


def test_cpu_time_of_one_thread_says_nothing_of_calls_on_several():
    clock = Clock(threads=2)
    clock.start()
    stopped = clock.stop()
    assert stopped.cpu_ns is None
    assert stopped.waited


def test_nothing_here_reads_a_clock_that_can_be_set():
    """A step of the system's clock, by NTP or by hand, must not move a figure or a deadline."""
    settable = {"time", "time_ns", "gmtime", "localtime", "now", "utcnow", "today"}
    root = Path(edgekit.measure.__file__).parent
    ages = {
        root / "devices/agent.py",
        root / "devices/extension.py",
    }  # of files: theirs is that clock
    for path in sorted(set(root.rglob("*.py")) - ages):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id not in ("time", "datetime") or node.attr not in settable, path
