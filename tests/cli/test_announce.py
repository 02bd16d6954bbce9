import pytest

from edgekit.cli.announce import announce
from edgekit.gate.verdict import Outcome, Verdict

FAILED = [Verdict("size.max_mb", Outcome.FAIL, 1.0, "MB", "2 MB, limit 1", 2.0)]


@pytest.fixture
def summary(tmp_path, monkeypatch):
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_step_of_github_actions_is_told(summary, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    announce("gate m.onnx", FAILED, "## Gate\n")
    assert capsys.readouterr().out.startswith("::error title=gate m.onnx%3A size.max_mb FAIL::")
    assert summary.read_text() == "## Gate\n"


def test_elsewhere_nothing_is_printed_and_nothing_written(summary, monkeypatch, capsys):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    announce("gate m.onnx", FAILED, "## Gate\n")
    assert capsys.readouterr().out == ""
    assert not summary.exists()


def test_a_step_without_a_summary_has_its_annotations(monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    announce("gate m.onnx", FAILED, "## Gate\n")
    assert "::error" in capsys.readouterr().out
