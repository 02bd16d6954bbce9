import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest
from evidence import AFTER, accuracy, evidence, report_of
from recordings import measured, record

from edgekit.errors import UsageError
from edgekit.gate.report import from_json, json_schema, to_json
from edgekit.gate.verdict import Outcome

PUBLISHED = Path(__file__).parents[2] / "docs/schemas/gate-1.json"


def test_a_report_survives_its_json(report):
    assert from_json(to_json(report)) == report


def test_json_is_one_strict_object_without_infinities(report):
    data = json.loads(to_json(report), parse_constant=pytest.fail)
    assert data["schema"] == 1
    assert data["outcome"] == "FAIL"
    assert len(data["verdicts"]) == 5


def test_the_published_schema_is_the_one_in_use():
    """With EDGEKIT_UPDATE=1 in the environment the file is written anew."""
    text = json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("EDGEKIT_UPDATE"):
        PUBLISHED.write_text(text)
    assert PUBLISHED.read_text() == text


def test_the_exit_code_follows_the_outcome(report):
    assert report.outcome is Outcome.FAIL
    assert report.exit_code == 1


def test_histograms_hold_every_call(report):
    shown = report.timing.histogram
    assert len(shown.edges_ms) == len(shown.counts["candidate"]) + 1
    for role, side in (
        ("baseline", report.timing.baselines[0]),
        ("candidate", report.timing.candidate),
    ):
        assert sum(shown.counts[role]) == side.calls


def test_real_reports_keep_the_published_schema(report):
    schema = json.loads(PUBLISHED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(to_json(report)), schema, jsonschema.Draft202012Validator)
    broken = json.loads(to_json(report)) | {"outcome": "MAYBE"}
    with pytest.raises(jsonschema.ValidationError, match="MAYBE"):
        jsonschema.validate(broken, schema, jsonschema.Draft202012Validator)


def test_a_secret_in_any_text_of_a_report_is_hidden_whatever_it_is_part_of(monkeypatch):
    secret = 's3cr3t-"value"'
    monkeypatch.setenv("SIGNING_KEY_PASSWORD", secret)
    named = msgspec.structs.replace(AFTER, file=f"{secret}.edgekit", version=f"1.0+{secret}")
    timing = measured(record(), stopped=f"told {secret}")
    scored = accuracy(task=f"{secret}.py")
    report = report_of(evidence(candidate=named, timing=timing, accuracy=scored))
    data = to_json(report).decode()
    assert "s3cr3t" not in data
    assert report.candidate.file == "***.edgekit"
    assert (report.candidate.version, report.accuracy.task) == ("1.0+***", "***.py")


def test_a_secret_that_is_a_word_of_every_report_is_said(monkeypatch):
    monkeypatch.setenv("DEPLOY_TOKEN", "INCONCLUSIVE")
    with pytest.raises(UsageError, match="a secret setting"):
        report_of(evidence())
