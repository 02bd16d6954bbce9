"""The same bundle again, from its evidence alone; and what has to be refused."""

import json

import onnx
import pytest
from networks import conv_net, task_text

from edgekit.cli import main


def search(conv_path, task_path, out, capsys, *options):
    line = ["optimize", str(conv_path), "--task", str(task_path), "--max-drop", "0.5"]
    assert main([*line, "--out", str(out), "--name", "conv", *options]) == 0
    capsys.readouterr()
    return out


@pytest.fixture
def searched(conv_path, task_path, tmp_path, capsys):
    """A search that ended before the first recipe: the clean model is the chosen one."""
    return search(conv_path, task_path, tmp_path / "out", capsys, "--cpu-seconds", "0")


def again(conv_path, task_path, evidence, out, capsys):
    line = ["optimize", str(conv_path), "--task", str(task_path), "--out", str(out)]
    code = main([*line, "--name", "conv", "--replay", str(evidence)])
    return code, capsys.readouterr()


def test_a_replay_makes_the_same_bundle_without_searching(conv_path, task_path, tmp_path, capsys):
    out = search(conv_path, task_path, tmp_path / "out", capsys)
    for number, name in enumerate(("conv-1.evidence.json", "conv-1.edgekit")):
        folder = tmp_path / f"again {number}"
        code, said = again(conv_path, task_path, out / name, folder, capsys)
        assert code == 0
        assert "measuring" not in said.err
        first, second = (each / "conv-1.edgekit" for each in (out, folder))
        assert first.read_bytes() == second.read_bytes()


def test_another_model_another_task_and_no_evidence_are_refused(
    searched, conv_path, task_path, tmp_path, capsys
):
    evidence = searched / "conv-1.evidence.json"
    out = tmp_path / "again"
    task_path.write_text(task_text() + "\n# changed\n")
    code, said = again(conv_path, task_path, evidence, out, capsys)
    assert code == 2
    assert "samples are not those of the search" in said.err
    onnx.save(conv_net(seed=4), conv_path)
    code, said = again(conv_path, task_path, evidence, out, capsys)
    assert code == 2
    assert "conv.onnx" in said.err
    for text in ("{}", "no json", json.dumps({"schema": 1})):
        evidence.write_text(text)
        code, said = again(conv_path, task_path, evidence, out, capsys)
        assert code == 2
        assert "no evidence of a search" in said.err
    assert not list(out.glob("*"))


def test_other_bytes_than_the_search_made_are_refused(
    searched, conv_path, task_path, tmp_path, capsys
):
    evidence = searched / "conv-1.evidence.json"
    told = json.loads(evidence.read_text())
    for each in told["candidates"]:
        each["sha256"] = "0" * 64
    evidence.write_text(json.dumps(told))
    code, said = again(conv_path, task_path, evidence, tmp_path / "again", capsys)
    assert code == 2
    assert "it came out with sha256" in said.err
