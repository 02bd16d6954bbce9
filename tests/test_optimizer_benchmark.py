"""How benchmarks/optimizer counts peers: with fp32 to fall back to, the best single one."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "optimizer"


def part(name):
    spec = importlib.util.spec_from_file_location(f"optimizer_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table():
    return part("table")


def line(workload, contender, speed_up, *, in_budget=True, **more):
    drop = {"point": 0.0, "low": -0.01, "high": 0.01, "agreement": 1.0}
    return {
        "workload": workload, "contender": contender, "speed_up": speed_up, "in_mean": True,
        "speed_up_low": speed_up - 0.1, "speed_up_high": speed_up + 0.1, "in_budget": in_budget,
        "drop": drop, "max_drop": 0.01, "fp32_score": 0.9, "score": 0.9, "fp32_bytes": 4e6,
        "bytes": 1e6, "load_speed_up": 2.0, "cpu_s": 60.0, "peak_mb": 500.0, "recipe": "int8",
        **more,
    }  # fmt: skip


def test_what_is_slower_or_worse_or_broken_counts_as_fp32(table):
    assert table.counted_speed_up(line("kws", "nncf", 1.5)) == 1.5
    assert table.counted_speed_up(line("kws", "nncf", 0.5)) == 1.0
    assert table.counted_speed_up(line("kws", "nncf", 3.0, in_budget=False)) == 1.0
    assert table.counted_speed_up({"problem": "it does not load"}) == 1.0


def test_the_best_peer_is_one_tool_over_all_workloads(table):
    lines = [
        line("kws", "nncf", 4.0),
        line("vad", "nncf", 0.1),
        line("kws", "onnxsim", 3.0),
        line("vad", "onnxsim", 3.0),
        line("kws", "edgekit", 9.0),
    ]
    assert table.best_peer(lines) == ("onnxsim", pytest.approx(3.0))


def test_the_tables_have_every_workload_and_ours_without_any_help(table):
    lines = [line("kws", "edgekit", 0.5), line("kws", "nncf", 4.0)]
    text = table.markdown(lines)
    assert "| kws | 1 point | int8 | 0.9000 → 0.9000 |" in text
    assert "nncf 4.00×" in text
    assert "speed-up 0.50×" in text
    assert "nncf, 4.00×; edgekit is 0.12× that" in text


def test_loads_are_medians_of_sessions_in_turns_without_the_first(monkeypatch):
    loading = part("loading")
    source, made = Path("source.onnx"), Path("made.onnx")
    taken = {source: iter((90.0, 4.0, 2.0, 6.0)), made: iter((50.0, 1.0, 2.0, 9.0))}
    order = []

    def load_ms(path):
        order.append(path)
        return next(taken[path])

    monkeypatch.setattr(loading, "_load_ms", load_ms)
    found = loading.load_figures(source, made, rounds=3)
    assert found == {"load_speed_up": 2.0, "fp32_load_ms": 4.0, "load_ms": 2.0}
    assert order == [source, made] * 4
