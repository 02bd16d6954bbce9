"""A report of every kind of verdict."""

import msgspec
import pytest
from evidence import AFTER, evidence

from edgekit.gate.budget import parse_budget
from edgekit.gate.judge import judge
from edgekit.gate.report import make_report

BUDGET = {
    "accuracy": {"max_drop": 0.01},
    "latency": {"max_ratio": 1.05, "p99_ms": 40.0},
    "instructions": {"max_ratio": 1.01},
    "size": {"max_mb": 2},
}


@pytest.fixture
def report():
    """Two limits kept, one violated, two that could not be judged, and a hostile file name."""
    named = msgspec.structs.replace(AFTER, file="<b>after|\x01.edgekit")
    found = evidence(1.2, candidate=named)
    budget = parse_budget(BUDGET, "budget")
    return make_report(budget, found, judge(budget, found))
