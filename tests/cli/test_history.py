"""`edgekit gate history` as a user types it."""

import json

import pytest

from edgekit.cli import main


@pytest.fixture
def history(small_onnx, tmp_path, monkeypatch):
    """Six gates of one model, the last three of them with a larger file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "budget.toml").write_text("[size]\nmax_mb = 1")
    model, larger = tmp_path / "model.onnx", small_onnx.read_bytes() + b"\x62\x00" * 5000
    for number in range(12):
        model.write_bytes(small_onnx.read_bytes() if number < 6 else larger)
        monkeypatch.setenv("GITHUB_SHA", f"{number:040x}")
        words = ["model.onnx", "--budget", "budget.toml", "--history", "history.jsonl"]
        assert main(["gate", *words, "--device", "arm://cortex-a76"]) in (0, 3)
    return tmp_path / "history.jsonl"


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch):
    """Sizes are enough for a history; that gates measure is tested elsewhere."""
    monkeypatch.setattr("edgekit.gate.evidence.count_sides", _no_counts)


def _no_counts(*_):
    from edgekit.gate.counted import InstructionFigures, SideCounts
    from edgekit.measure.devices.measurement import Counts

    side = SideCounts(1000, Counts(1000, 1, 1), True)
    return InstructionFigures("arm://cortex-a76", "noise", side, (), 0.001, {"qemu": "7.2"})


def test_a_change_is_shown_with_the_commits_it_lies_between(history, capsys):
    capsys.readouterr()
    assert main(["gate", "history", str(history), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["gates"] == 12
    (size,) = [t for t in found["trends"] if t["series"]["figure"] == "model size"]
    (change,) = size["changes"]
    assert (change["index"], change["last_before"], change["commit"]) == (
        6, f"{5:040x}", f"{6:040x}",
    )  # fmt: skip


def test_the_page_and_the_table_are_written_and_what_is_damaged_is_named(history, capsys):
    with history.open("a") as file:
        file.write("no report\n")
    capsys.readouterr()
    page = history.with_name("history.html")
    assert main(["gate", "history", str(history), "--html", str(page)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("12 gates, 2 series, 1 changes of level")
    assert "line 13: it is no gate report" in err
    assert page.read_text().startswith("<!doctype html>")


def test_a_file_called_history_is_still_reached(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history").write_bytes(b"no model")
    (tmp_path / "budget.toml").write_text("[size]\nmax_mb = 1")
    assert main(["gate", "./history", "--budget", "budget.toml"]) == 2
    assert "model 'history'" in capsys.readouterr().err
    assert main(["gate", "--budget", "budget.toml", "history"]) == 2
    assert "model 'history'" in capsys.readouterr().err


def test_an_impossible_alpha_is_refused(history, capsys):
    with pytest.raises(SystemExit):
        main(["gate", "history", str(history), "--alpha", "1.5"])
    assert "1.5 is not between 0 and 1" in capsys.readouterr().err


def test_its_settings_stand_in_the_file_by_its_two_words(history, capsys):
    history.with_name("edgekit.toml").write_text('["gate history"]\njson = true\n')
    capsys.readouterr()
    assert main(["gate", "history", str(history)]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1
