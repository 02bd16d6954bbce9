"""What `make gate` does with this repository's own kernels."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / ".ci/gate.py"


@pytest.fixture(scope="module")
def own():
    spec = importlib.util.spec_from_file_location("own_gate", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def baseline(own):
    return own.read_baseline(own.BASELINE.read_text("utf8"))


def more_work(counted, share):
    """The same kernels, each with more instructions."""
    counts = {name: round(count * (1 + share)) for name, count in counted.instructions.items()}
    return replace(counted, instructions=counts)


def test_the_committed_baseline_is_of_the_kernels_that_are_counted(own, baseline):
    assert list(baseline.instructions) == list(own.kernels())
    assert own.written(baseline) == own.BASELINE.read_text("utf8")
    assert "qemu 7.2." in baseline.versions


@pytest.mark.parametrize(
    ("share", "kept"), [(0.0, True), (0.001, True), (-0.3, True), (0.02, False), (0.5, False)]
)
def test_one_percent_more_work_fails_and_what_counts_repeat_by_does_not(own, baseline, share, kept):
    lines, found = own.compare(more_work(baseline, share), baseline)
    assert found is kept
    assert sum(line.startswith("PASS" if kept else "FAIL") for line in lines) == len(lines)
    assert ("run make gate-update to keep it" in lines[0]) is (share < -0.01)


@pytest.mark.parametrize(("share", "kept"), [(0.02, True), (0.12, False)])
def test_with_other_versions_the_limit_is_wider_and_that_is_said(own, baseline, share, kept):
    found = replace(more_work(baseline, share), versions="gcc 15.1.0, qemu 7.2.99")
    lines, judged = own.compare(found, baseline)
    assert judged is kept
    assert "other versions" in lines[0]
    assert lines[2] == "  now  gcc 15.1.0, qemu 7.2.99"


def test_a_kernel_that_is_new_or_gone_needs_a_baseline(own, baseline):
    name, count = next(iter(baseline.instructions.items()))
    lines, kept = own.compare(replace(baseline, instructions={"new": 1, name: count}), baseline)
    assert not kept
    assert lines[0] == "FAIL  new: it has no baseline; run make gate-update"
    assert sum("no longer counted" in line for line in lines) == len(baseline.instructions) - 1


@pytest.mark.parametrize(("policy", "code"), [("release", 3), ("pull-request", 0)])
def test_without_an_emulator_it_says_so_and_ci_does_not_pass(
    own, policy, code, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", "")
    assert own.judge_kernels(policy) == code
    said = capsys.readouterr().out
    assert said.startswith("NOT JUDGED  kernels: ")
    assert "qemu-user" in said
