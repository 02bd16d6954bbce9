"""`edgekit bench` as a user types it."""

import json

from edgekit.cli import main


def bench(path, *flags):
    return main(["bench", str(path), "--calls", "12", "--max-seconds", "1", *flags])


def test_bench_prints_one_json_object(small_bundle, capsys):
    assert bench(small_bundle, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["device"] == "local"
    latency = found["latency_ms"]
    assert latency["p50"] <= latency["p90"] <= latency["p95"] <= latency["p99"] <= latency["max"]
    assert min(latency["first"], latency["load"], found["throughput_per_s"]) > 0.0
    assert found["memory_mb"]["peak"] > 10.0
    assert found["environment"]["load_1m"] >= 0.0
    assert found["samples"]["calls"] >= 12
    assert found["size_bytes"]["bundle"] == small_bundle.stat().st_size
    assert found["size_bytes"]["model"] < found["size_bytes"]["bundle"]
    assert "onnxruntime" in found["versions"]


def test_what_a_device_cannot_tell_is_absent(small_onnx, capsys):
    assert bench(small_onnx, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "bundle" not in found["size_bytes"]
    assert "features_p50" not in found["latency_ms"]
    assert "instructions" not in found
    assert None not in found.values()


def test_bench_prints_lines_for_a_person(small_onnx, capsys):
    assert bench(small_onnx) == 0
    out = capsys.readouterr().out
    assert "p99" in out
    assert "synthetic inputs" in out


def test_a_missing_file_is_one_line(tmp_path, capsys):
    assert bench(tmp_path / "missing.onnx") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "missing.onnx" in err


def test_energy_that_nobody_tells_is_said_and_not_zero(small_onnx, capsys):
    assert bench(small_onnx, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert ("energy_mj" in found) != ("energy_mj" in found.get("not_measured", {}))


def test_a_device_that_is_none_is_one_line(small_onnx, capsys):
    assert bench(small_onnx, "--device", "moon://base") == 2
    assert "use local, arm://cortex-a76" in capsys.readouterr().err
