"""Verdicts of searches and the exit code of a sweep."""

import json

import pytest
from edgekit_converters.sweep.job import Outcome
from edgekit_converters.sweep.plan import Job, Wish
from edgekit_converters.sweep.report import as_json, exit_code, judged, to_html


def found(**changes):
    chosen = {
        "recipe": "int8",
        "why": "the cheapest in budget",
        "size_bytes": 2_000_000,
        "evaluation": {"drop": {"point": 0.004, "low": 0.0, "high": 0.02, "upper": 0.015}},
        "cost": {"kind": "latency", "ratio": 0.6, "low": 0.5, "high": 0.7},
    }
    return {"chosen": "int8", "candidates": [chosen | changes]}


def entry(told, **limits):
    job = Job("kws.host.0.01", Wish("kws.onnx", "task.py", "kws", **limits), "host", 0.01)
    return judged(job, Outcome(job.name, 1, told))


@pytest.mark.parametrize(
    ("limits", "changes", "verdict", "why"),
    [
        ({}, {}, "PASS", "cheapest"),
        ({"certify": True}, {}, "FAIL", "drops by more than 1 points"),
        ({"max_mb": 1.0}, {}, "FAIL", "larger than 1 MB"),
        ({"max_ratio": 0.8, "max_mb": 3.0}, {}, "PASS", "cheapest"),
        ({"max_ratio": 0.4}, {}, "FAIL", "over 0.4"),
        ({"max_ratio": 0.6}, {}, "INCONCLUSIVE", "may be over 0.6"),
        ({"max_ratio": 0.8}, {"cost": None}, "FAIL", "nothing cheaper"),
        ({"max_ratio": 1.0}, {"cost": None}, "PASS", "cheapest"),
    ],
)
def test_every_limit_is_judged(limits, changes, verdict, why):
    one = entry(found(**changes), **limits)
    assert one.verdict == verdict
    assert why in one.why


def test_the_exit_code_is_a_gates():
    passed, failed = entry(found()), entry(found(), max_mb=1.0)
    unknown, broken = entry(found(), max_ratio=0.6), entry(None)
    assert exit_code([passed]) == 0
    assert exit_code([passed, unknown]) == 3
    assert exit_code([passed, unknown, broken]) == 2
    assert exit_code([passed, unknown, broken, failed]) == 1


def test_json_and_html_have_every_job():
    entries = [entry(found()), entry(None)]
    told = json.loads(as_json(entries))
    assert told["exit_code"] == 2
    assert [each["verdict"] for each in told["jobs"]] == ["PASS", "ERROR"]
    html = to_html("models.toml", entries)
    assert '<a href="kws.host.0.01/kws-1.html">' in html
    assert "1 of 2 met their budget" in html
