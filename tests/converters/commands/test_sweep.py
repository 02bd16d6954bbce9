"""`edgekit sweep` from the command line."""

import json
import signal
import subprocess
import sys

from processes import processes_with, wait_until
from sweeps import write_plan

from edgekit.cli import main


def sweep(folder, *arguments):
    line = ["sweep", str(folder / "models.toml"), "--out", str(folder / "out"), *arguments]
    return main(line)


def test_one_report_over_all_and_a_bad_model_costs_only_itself(tmp_path, capsys):
    write_plan(tmp_path, ["good", "cut"])
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(cut.read_bytes()[:300])
    assert sweep(tmp_path, "--json") == 2
    told = json.loads(capsys.readouterr().out)
    good, bad = told["jobs"]
    assert (good["verdict"], bad["verdict"]) == ("PASS", "ERROR")
    assert "cut.onnx" in bad["why"]
    out = tmp_path / "out"
    assert json.loads((out / "sweep.json").read_text()) == told
    assert good["report"] in (out / "index.html").read_text()
    assert (out / good["report"]).is_file()
    first = {path: path.read_bytes() for path in (out / good["job"]).iterdir()}
    sweep(tmp_path)
    assert {path: path.read_bytes() for path in (out / good["job"]).iterdir()} == first
    captured = capsys.readouterr()
    assert "good.apple-m1.0.01" in captured.out


def test_a_mistake_in_the_file_is_one_line(tmp_path, capsys):
    write_plan(tmp_path, target="host")
    assert sweep(tmp_path) == 2
    assert "unknown key 'target'; did you mean 'targets'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_leaves_nothing_half_written_and_nobody_running(tmp_path):
    path = write_plan(tmp_path, ["one", "two"])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "edgekit.cli", "sweep", str(path), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: searches_of(path))
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing was left half-written" in complained
    assert searches_of(path) == []
    for folder in {each.parent for each in out.rglob("*") if each.is_file()}:  # one may have ended
        assert sorted(each.suffix for each in folder.iterdir()) == [
            ".edgekit", ".edgekit", ".html", ".json",
        ]  # fmt: skip


def searches_of(path):
    """Processes of searches on models beside a file."""
    return sorted(set(processes_with("sweep.process")) & set(processes_with(str(path.parent))))
