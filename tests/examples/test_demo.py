"""The demo's parts that need no search; `make demo` runs the whole."""

import importlib

import pytest

FP32 = {
    "recipe": "fp32",
    "verdict": "baseline",
    "why": "every figure is against it",
    "size_bytes": 21_200_000,
    "cost": None,
    "calibration": None,
    "evaluation": {"score": 0.9963, "drop": {"point": 0.0, "low": -0.1, "high": 0.1}},
}
BROKEN = {
    "recipe": "fp16",
    "verdict": "not made",
    "why": "it does not load",
    "size_bytes": None,
    "cost": None,
    "calibration": None,
    "evaluation": None,
}
WINNER = {
    "recipe": "int8_static_conv_perchannel",
    "verdict": "chosen",
    "why": "the cheapest in budget",
    "size_bytes": 5_900_000,
    "cost": {"ratio": 0.541, "low": 0.5, "high": 0.6},
    "calibration": {"score": 0.99, "drop": {"point": 0.004, "low": -0.001, "high": 0.01}},
    "evaluation": {"score": 0.9955, "drop": {"point": 0.0008, "low": -0.0005, "high": 0.0028}},
}


@pytest.fixture
def closing():
    return importlib.import_module("closing")


def test_the_line_it_reads_is_in_neither_split(ocr):
    demo, lines = importlib.import_module("demo"), importlib.import_module("lines")
    assert demo.UNSEEN not in lines.lines("calibration") + lines.lines("evaluation")


def test_the_table_shows_every_candidate_with_what_is_known(closing, capsys):
    found = {"chosen": WINNER["recipe"], "candidates": [FP32, BROKEN, WINNER]}
    gate = {
        "outcome": "PASS",
        "verdicts": [{"outcome": "PASS", "budget": "size.max_ratio", "reason": "0.277, limit 1"}],
    }
    closing.print_tables(found, gate)
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]
    assert cells[0][:4] == ["fp32", "0.9963", "–", "21.2 MB"]
    assert cells[1][1:6] == ["–", "–", "–", "–", "not made"]
    assert cells[2][1:5] == ["0.9955", "0.08 [-0.05, 0.28]", "5.9 MB", "0.54 [0.50, 0.60]"]
    assert cells[3] == ["PASS", "size.max_ratio", "0.277, limit 1"]


def test_a_score_on_calibration_lines_is_marked(closing, capsys):
    found = {"chosen": "fp32", "candidates": [WINNER | {"evaluation": None}]}
    closing.print_tables(found, None)
    assert "0.9900*" in capsys.readouterr().out


def test_the_budget_is_one_that_the_gate_accepts(ocr):
    from edgekit.gate.budget import load_budget

    budget = load_budget(ocr / "budget.toml")
    assert (budget.accuracy.max_drop, budget.latency.max_ratio) == (0.01, 1.0)
