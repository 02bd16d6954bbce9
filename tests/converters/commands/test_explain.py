"""`edgekit explain` from the command line, after an optimization and by itself."""

import json

import pytest

from edgekit.cli import main


@pytest.fixture
def optimized(conv_path, task_path, tmp_path, monkeypatch, capsys):
    """A folder in which `edgekit optimize` was run, some candidates not made."""
    monkeypatch.chdir(tmp_path)
    assert main(["optimize", str(conv_path), "--task", str(task_path), "--name", "conv"]) == 0
    told = capsys.readouterr().out
    explained = json.loads((tmp_path / "out/conv-1.evidence.json").read_text())["explanations"]
    assert ("Why the others failed: edgekit explain out" in told) == bool(explained)
    return tmp_path


def test_after_optimize_it_needs_no_argument_and_agrees_with_every_other_way(
    optimized, conv_path, task_path, capsys
):
    assert main(["explain"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("conv.onnx for host")
    assert "not cheaper" in told or "no candidate failed" in told
    for what in ("out", "out/conv-1.evidence.json", "out/conv-1.edgekit"):
        assert main(["explain", what]) == 0
        assert capsys.readouterr().out == told
    assert main(["explain", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["explanations"]
    for each in found:
        assert each["recipe"] in told
        assert each["proof"] in told
    assert main(["explain", str(conv_path), "--task", str(task_path), "--html", "why.html"]) == 0
    captured = capsys.readouterr()
    assert "(known)" in captured.err, "the search itself comes from the cache"
    assert "<html" in (optimized / "why.html").read_text()
    if found:
        first = found[0]["recipe"]
        assert main(["explain", "--recipe", first]) == 0
        assert first in capsys.readouterr().out


def refused(capsys, *parts):
    captured = capsys.readouterr()
    assert captured.out == ""
    errors = [line for line in captured.err.splitlines() if line.startswith("edgekit: ")]
    assert len(errors) == 1
    for part in parts:
        assert part in errors[0]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("it is no evidence",)),
        (b"{}", ("it is no evidence", "missing required field")),
        (b'{"model": {}, "target": {}}', ("older than explanations", "optimize again")),
        (b"PK\x05\x06" + bytes(18), ("it is no evidence",)),
    ],
)
def test_what_is_no_evidence_is_refused(content, parts, tmp_path, capsys):
    path = tmp_path / "a.evidence.json"
    path.write_bytes(content)
    assert main(["explain", str(path)]) == 2
    refused(capsys, "a.evidence.json", *parts)


def test_a_folder_without_evidence_and_a_file_that_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain"]) == 2
    refused(capsys, "'out'", "edgekit optimize")
    assert main(["explain", str(tmp_path)]) == 2
    refused(capsys, "there is no *.evidence.json in it", "edgekit optimize")


def test_a_model_without_a_task_and_a_recipe_that_nothing_explains(conv_path, tmp_path, capsys):
    assert main(["explain", str(conv_path)]) == 2
    refused(capsys, "conv.onnx", "--task TASK.py")
    path = tmp_path / "a.evidence.json"
    path.write_text('{"model": {"name": "m"}, "target": {"name": "t"}, "explanations": []}')
    assert main(["explain", str(path), "--recipe", "fp16"]) == 2
    refused(capsys, "--recipe fp16", "explained are: none")
    assert main(["explain", str(path)]) == 0
    assert capsys.readouterr().out == "m for t: no candidate failed\n"
    assert main(["explain", str(path), "--html", "x.html"]) == 2
    refused(capsys, "--html", "made from a model")
