"""`edgekit gate` as a user types it."""

import contextlib
import json
import os
import re
import signal
import threading
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import onnx
import pytest
from builders import small_files, small_manifest
from datasets import write_data, write_with_reference
from processes import children_of, wait_until
from workmodels import endless

from edgekit.budget import Budget, SizeBudget
from edgekit.bundle import write_bundle
from edgekit.cli import main


@pytest.fixture
def budget(tmp_path):
    def write(text):
        path = tmp_path / "budget.toml"
        path.write_text(text)
        return str(path)

    return write


def error_line(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def gate(*arguments):
    return main(["gate", *map(str, arguments), "--max-seconds", "0.1"])


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("[size]\nmax_mb = 1", 0, "PASS: every limit is kept"),
        ("[size]\nmax_mb = 1e-6", 1, "FAIL: a limit is violated"),
        ("[accuracy]\nmax_drop = 0.1", 3, "INCONCLUSIVE: a limit could not be judged"),
    ],
)
def test_the_exit_code_and_the_last_line_are_the_verdict(
    small_onnx, budget, capsys, text, code, word
):
    assert gate(small_onnx, "--budget", budget(text)) == code
    assert capsys.readouterr().out.splitlines()[-1] == word


def test_every_report_is_written(small_onnx, budget, tmp_path):
    files = {kind: tmp_path / f"gate.{kind}" for kind in ("json", "junit", "markdown", "html")}
    flags = [word for kind, path in files.items() for word in (f"--{kind}", path)]
    assert gate(small_onnx, "--budget", budget("[size]\nmax_mb = 1"), *flags) == 0
    assert json.loads(files["json"].read_text())["outcome"] == "PASS"
    assert ElementTree.parse(files["junit"]).getroot().tag == "testsuites"
    assert files["markdown"].read_text().startswith("## Gate: PASS")
    assert files["html"].read_text().startswith("<!doctype html>")


def test_a_bundle_is_judged_by_the_budget_it_carries(tmp_path, capsys):
    path = tmp_path / "small-1.0.edgekit"
    budget = Budget(size=SizeBudget(max_mb=1e-6))
    write_bundle(path, small_manifest(budget=budget), small_files())
    assert gate(path) == 1
    assert "size.max_mb" in capsys.readouterr().out


def test_no_budget_at_all_is_a_mistake(small_onnx, capsys):
    assert gate(small_onnx) == 2
    assert "give --budget FILE" in error_line(capsys)


def test_a_misspelt_budget_is_one_line_with_the_way_out(small_onnx, budget, capsys):
    assert gate(small_onnx, "--budget", budget("[latency]\nmax_ration = 1.05")) == 2
    assert "did you mean 'max_ratio'?" in error_line(capsys)


def test_a_folder_that_does_not_exist_is_said_before_anything_is_measured(
    small_onnx, budget, tmp_path, capsys
):
    missing = tmp_path / "missing" / "gate.json"
    assert gate(small_onnx, "--budget", budget("[size]\nmax_mb = 1"), "--json", missing) == 2
    assert "create it first" in error_line(capsys)


def test_reports_name_files_but_neither_folders_nor_the_machine(
    small_onnx, budget, tmp_path, capsys
):
    import platform

    report = tmp_path / "gate.json"
    gate(small_onnx, "--budget", budget("[size]\nmax_mb = 1"), "--json", report)
    text = report.read_text()
    assert str(small_onnx.parent) not in text
    assert f'"{platform.node()}"' not in text


def test_the_policy_for_pull_requests_warns_of_what_a_release_waits_for(
    small_onnx, budget, tmp_path, capsys
):
    limits = budget("[accuracy]\nmin_score = 0.1")
    junit = tmp_path / "gate.xml"
    assert gate(small_onnx, "--budget", limits, "--policy", "release", "--junit", junit) == 3
    assert ElementTree.parse(junit).find("testsuite").get("errors") == "1"
    capsys.readouterr()
    assert gate(small_onnx, "--budget", limits, "--policy", "pull-request", "--junit", junit) == 0
    assert "lets it pass with this warning" in capsys.readouterr().out.splitlines()[-1]
    suite = ElementTree.parse(junit).find("testsuite")
    assert (suite.get("errors"), suite.get("skipped")) == (None, "1")
    failing = budget("[size]\nmax_mb = 1e-6")
    assert gate(small_onnx, "--budget", failing, "--policy", "pull-request") == 1


def test_two_baselines_are_two_verdicts(small_onnx, budget, tmp_path, capsys):
    release = tmp_path / "release.onnx"
    release.write_bytes(small_onnx.read_bytes())
    limits = budget("[size]\nmax_ratio = 1.0")
    flags = ("--baseline", small_onnx, "--baseline", release, "--markdown", tmp_path / "gate.md")
    assert gate(small_onnx, "--budget", limits, *flags) == 0
    out = capsys.readouterr().out
    assert "size.max_ratio against small.onnx" in out
    assert "size.max_ratio against release.onnx" in out
    assert "| figure | baseline 1 | baseline 2 | candidate |" in (tmp_path / "gate.md").read_text()


def test_flags_that_may_stand_twice_replace_the_list_of_the_file(
    small_onnx, budget, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    limits = budget("[size]\nmax_mb = 1")
    (tmp_path / "edgekit.toml").write_text('[gate]\ndevice = ["moon://base"]\n')
    assert gate(small_onnx, "--budget", limits) == 2
    assert "moon://base" in capsys.readouterr().err
    assert gate(small_onnx, "--budget", limits, "--device", "local") == 0


def test_no_setting_and_no_user_is_written_to_any_report(
    small_onnx, budget, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("RELEASE_TOKEN", "s3cr3t-value-of-the-token")
    files = {kind: tmp_path / f"gate.{kind}" for kind in ("json", "junit", "markdown", "html")}
    flags = [word for kind, path in files.items() for word in (f"--{kind}", path)]
    gate(small_onnx, "--budget", budget("[size]\nmax_mb = 1"), *flags)
    for path in files.values():
        text = path.read_text()
        assert "s3cr3t-value-of-the-token" not in text
        assert str(tmp_path) not in text


def test_data_is_judged_with_the_rest_and_reports_of_it_keep_the_schema(tmp_path, budget, capsys):
    bundle = write_with_reference(tmp_path / "small-1.0.edgekit")
    data = write_data(tmp_path / "field.py", samples=80, shift=2.0)
    limits = budget("[size]\nmax_mb = 1\n[drift]\nmax_ks = 0.2\n[schema]\nmax_mismatch_share = 0")
    report = tmp_path / "gate.json"
    assert gate(bundle, "--budget", limits, "--data", f"{data}:may", "--json", report) == 1
    out = capsys.readouterr().out
    assert "FAIL         drift.max_ks" in out
    assert "PASS         schema.max_mismatch_share" in out
    found = json.loads(report.read_text())
    assert found["data"]["source"] == "field.py, split may"
    assert [each["tensor"] for each in found["data"]["drift"]] == ["input x", "output y"]
    schema = json.loads((Path(__file__).parents[2] / "docs/schemas/gate-1.json").read_text())
    jsonschema.validate(found, schema, jsonschema.Draft202012Validator)


def test_what_data_says_of_secrets_is_in_no_report(tmp_path, budget, monkeypatch, capsys):
    monkeypatch.setenv("DATA_TOKEN", "s3cr3t-value-of-the-token")
    bundle = write_with_reference(tmp_path / "small-1.0.edgekit")
    data = write_data(tmp_path / "field.py", change="x = {'s3cr3t-value-of-the-token': x}")
    files = {kind: tmp_path / f"gate.{kind}" for kind in ("json", "junit", "markdown", "html")}
    flags = [word for kind, path in files.items() for word in (f"--{kind}", path)]
    limits = budget("[schema]\nmax_mismatch_share = 0")
    assert gate(bundle, "--budget", limits, "--data", data, *flags) == 1
    for text in (capsys.readouterr().out, *(path.read_text() for path in files.values())):
        assert "it has ['***']" in text.replace("&#x27;", "'").replace("&apos;", "'")
        assert "s3cr3t-value-of-the-token" not in text


@pytest.mark.parametrize(
    ("data", "words"),
    [("field.csv", "it is no FILE.py"), ("missing.py", "there is no such file")],
)
def test_data_that_is_not_there_is_one_line(small_bundle, budget, capsys, data, words):
    limits = budget("[schema]\nmax_mismatch_share = 0")
    assert gate(small_bundle, "--budget", limits, "--data", data) == 2
    assert words in error_line(capsys)


def test_a_candidate_that_ends_its_process_fails_and_is_no_internal_error(
    small_onnx, budget, tmp_path, capsys
):
    onnx.save(endless(), tmp_path / "endless.onnx")

    def crash():
        wait_until(workers_at_work, seconds=60)
        for pid in workers_at_work():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSEGV)

    crasher = threading.Thread(target=crash)
    crasher.start()
    code = gate(tmp_path / "endless.onnx", "--budget", budget("[size]\nmax_mb = 1"))
    crasher.join()
    assert code == 1
    out = capsys.readouterr().out
    assert re.search(r"FAIL +runs +the candidate crashed: .*signal SIGSEGV", out)


def workers_at_work():
    """Workers that have computed for two seconds: their model never answers."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = []
    for pid in children_of(os.getpid()):
        with contextlib.suppress(OSError):  # others come and go
            used = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11]
            if int(used) > 2 * ticks:
                found.append(pid)
    return found


def test_a_candidate_that_hangs_fails_after_the_time_allowed(budget, tmp_path, capsys):
    onnx.save(endless(), tmp_path / "endless.onnx")
    limits = budget("[size]\nmax_mb = 1\n[latency]\np95_ms = 5")
    assert gate(tmp_path / "endless.onnx", "--budget", limits, "--timeout", "3") == 1
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"FAIL +runs +the candidate crashed: no answer in 3 s", lines[0])
    assert lines[-1] == "FAIL: a limit is violated"


def test_a_baseline_for_another_target_is_a_mistake(small_bundle, budget, tmp_path, capsys):
    other = tmp_path / "other.edgekit"
    write_bundle(other, small_manifest(target="cortex-a76"), small_files())
    limits = budget("[size]\nmax_ratio = 1")
    assert gate(small_bundle, "--baseline", other, "--budget", limits) == 2
    assert "it was made for cortex-a76, the candidate for host" in error_line(capsys)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_line_and_leaves_nothing(small_onnx, budget, tmp_path, capsys):
    (tmp_path / ".gate.json.partial").symlink_to("/dev/full")
    report = tmp_path / "gate.json"
    assert gate(small_onnx, "--budget", budget("[size]\nmax_mb = 1"), "--json", report) == 2
    assert "No space left on device" in error_line(capsys)
    assert not report.exists()
