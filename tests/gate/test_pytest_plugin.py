"""The pytest plugin as a team uses it: real pytest runs over test files written here."""

import json
from xml.etree import ElementTree

import pytest
from datasets import write_with_reference

from edgekit.cli import main

FAST = ("-p", "no:cacheprovider", "--edgekit-max-seconds", "0.1")
ONE = """
def test_release(gate):
    gate("small.onnx")
"""


@pytest.fixture
def suite(pytester, small_onnx, monkeypatch):
    """Runs a test file beside `small.onnx` and `budget.toml`, which is kept, broken or open."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # this suite's, not the inner one's
    (pytester.path / "small.onnx").write_bytes(small_onnx.read_bytes())

    def run(test=ONE, *flags, budget="[size]\nmax_mb = 1\n", subprocess=False):
        pytester.makepyfile(test_it=test)
        (pytester.path / "budget.toml").write_text(budget or "")
        given = [*FAST, *(["--edgekit-budget", "budget.toml"] if budget else []), *flags]
        return (pytester.runpytest_subprocess if subprocess else pytester.runpytest)(*given)

    return run


def test_a_release_that_keeps_its_limits_passes_and_is_told_in_one_line(suite):
    done = suite()
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(
        ["*= edgekit gate =*", "test_it.py::test_release: small.onnx: PASS: every limit is kept"]
    )


def test_a_violated_limit_fails_with_the_sentences_of_the_command_line(suite, pytester, capsys):
    done = suite(budget="[size]\nmax_mb = 1e-6\n")
    done.assert_outcomes(failed=1)
    capsys.readouterr()
    gate = ["gate", "small.onnx", "--budget", "budget.toml", "--max-seconds", "0.1"]
    assert main(gate) == 1
    said = capsys.readouterr().out.strip().splitlines()
    assert said[0].startswith("FAIL         size.max_mb")
    assert said[-1] == "FAIL: a limit is violated"
    for line in said:
        assert line in done.outlines
    assert "Traceback" not in done.stdout.str()


def test_what_inconclusive_means_is_the_policy(suite):
    test = """
    def test_pull_request(gate):
        assert gate("small.onnx").outcome.value == "INCONCLUSIVE"
    def test_release(gate):
        gate("small.onnx", policy="release")
    """
    flags = ("--edgekit-policy", "pull-request")
    done = suite(test, *flags, budget="[accuracy]\nmin_score = 0.5\n")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*test_pull_request*INCONCLUSIVE: a limit could not be judged*"])
    done.stdout.fnmatch_lines(["*INCONCLUSIVE accuracy.min_score*nothing to score with*"])


def test_a_call_may_say_otherwise_than_the_command_line(suite):
    test = """
    import pytest
    def test_release(gate):
        report = gate("small.onnx", budget={"size": {"max_ratio": 1.0}}, baseline="small.onnx")
        assert [each.title for each in report.verdicts] == ["size.max_ratio"]
        assert report.baselines[0].file == "small.onnx"
        for wrong in ({"basline": "x"}, {"policy": "whatever"}):
            with pytest.raises(TypeError, match=next(iter(wrong))):
                gate("small.onnx", **wrong)
    """
    suite(test).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "budget", "words"),
    [
        ('gate("missing.onnx")', "[size]\nmax_mb = 1", "model 'missing.onnx': it cannot be read"),
        ('gate("small.onnx")', "[size]\nmax_mbs = 1", "did you mean 'max_mb'"),
        ('gate("small.onnx")', None, "it carries no budget and none was given"),
        ('gate("small.onnx", budget={"size": {"max_mb": -1}})', None, "Expected `float` > 0"),
        ('gate("small.onnx", task="no.py")', "[size]\nmax_mb = 1", "there is no such file"),
    ],
)
def test_a_mistake_is_one_line_without_a_traceback(suite, call, budget, words):
    done = suite(f"def test_release(gate):\n    {call}\n", budget=budget)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"edgekit: *{words.replace('[', '[[]')}*"])
    assert "Traceback" not in done.stdout.str()


def test_where_nobody_asks_nothing_is_said(suite):
    done = suite("def test_other():\n    assert True\n", budget=None)
    done.assert_outcomes(passed=1)
    assert "edgekit gate" not in done.stdout.str()


def test_a_budget_that_no_test_judges_by_is_said(suite):
    done = suite("def test_other():\n    assert True\n")
    done.stdout.fnmatch_lines(["--edgekit-budget was given, and no test called gate()"])


def test_each_gate_has_reports_of_its_own_and_junit_has_its_sentences(suite, pytester):
    test = 'def test_release(gate):\n    gate("small.onnx")\n    gate("small.onnx", seed=1)\n'
    suite(test, "--edgekit-reports", "out", "--junitxml", "junit.xml").assert_outcomes(passed=1)
    stem = "test_it.py-test_release"
    names = {
        f"{stem}{number}{end}" for number in ("", "-2") for end in (".json", ".xml", ".md", ".html")
    }
    assert {path.name for path in (pytester.path / "out").iterdir()} == names
    report = json.loads((pytester.path / "out" / f"{stem}.json").read_text())
    assert report["outcome"] == "PASS"
    properties = ElementTree.parse(pytester.path / "junit.xml").findall(".//property")
    assert [each.get("name") for each in properties] == ["edgekit gate small.onnx"] * 2
    assert "PASS: every limit is kept" in properties[0].get("value")


def test_workers_of_xdist_measure_one_at_a_time_and_the_controller_tells_all(suite, pytester):
    pytester.makeconftest("""
    import os, time
    from edgekit.gate import evidence
    whole = evidence.gather
    def gather(*arguments):
        mark = os.open("measuring", os.O_CREAT | os.O_EXCL)  # fails where another one measures
        try:
            time.sleep(0.5)
            return whole(*arguments)
        finally:
            os.close(mark)
            os.unlink("measuring")
    evidence.gather = gather
    """)
    test = """
    def test_0(gate):
        gate("small.onnx")
    def test_1(gate):
        gate("small.onnx")
    def test_speed(benchmark, gate):
        benchmark(len, "")
        gate.recorded(benchmark, budget={"latency": {"p99_ms": 1000}})
    """
    flags = ("-n", "2", "--dist", "load", "--edgekit-reports", "out")
    done = suite(test, *flags, subprocess=True)
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["INCONCLUSIVE latency.p99_ms*it is switched off*"])
    for number in range(2):
        done.stdout.fnmatch_lines([f"test_it.py::test_{number}: small.onnx: PASS*"])
    assert len(list((pytester.path / "out").glob("*.json"))) == 2


def test_times_that_pytest_benchmark_records_are_judged_in_the_same_test(suite):
    test = """
    def test_quick(benchmark, gate):
        benchmark.pedantic(sum, args=([1],), rounds=500, iterations=1)
        gate.recorded(benchmark)
    def test_slow(benchmark, gate):
        benchmark.pedantic(sum, args=([1],), rounds=500, iterations=1)
        gate.recorded(benchmark, budget={"latency": {"p50_ms": 1e-9}})
    """
    done = suite(test, budget="[latency]\np99_ms = 10000\n")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["FAIL*latency.p50_ms*as pytest-benchmark recorded test_slow"])
    done.stdout.fnmatch_lines(["*test_quick: recorded times: PASS: every limit is kept"])


def test_a_file_of_pytest_benchmark_is_judged_and_two_are_a_then_b(suite, pytester):
    bench = "def test_speed(benchmark):\n    benchmark.pedantic(sum, args=([1],), rounds=120)\n"
    suite(bench, "--benchmark-json=after.json", budget=None).assert_outcomes(passed=1)
    test = """
    def test_recorded(gate):
        verdicts = gate.recorded("after.json", baseline="after.json", policy="pull-request")
        assert [each.outcome.value for each in verdicts] == ["INCONCLUSIVE", "PASS"]
        assert "recorded A then B" in verdicts[0].reason
    """
    done = suite(test, budget="[latency]\nmax_ratio = 1.05\np95_ms = 10000\n")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*INCONCLUSIVE latency.max_ratio*gate the model files"])


def test_inputs_come_from_a_fixture(suite, pytester):
    write_with_reference(pytester.path / "small-1.0.edgekit")
    test = """
    import edgekit
    def test_app(edgekit_inputs):
        with edgekit.load("small-1.0.edgekit", verify="digest") as model:
            for value in edgekit_inputs("small-1.0.edgekit", 3, seed=2):
                assert model.run(value).value
    """
    suite(test, budget=None).assert_outcomes(passed=1)


def test_a_secret_in_what_a_model_says_is_in_no_output(suite, pytester, monkeypatch):
    monkeypatch.setenv("DATA_TOKEN", "s3cr3t-value-of-the-token")
    write_with_reference(pytester.path / "small-1.0.edgekit")
    pytester.makepyfile(
        field="import numpy as np\n"
        "def samples(split):\n"
        "    yield {'s3cr3t-value-of-the-token': np.zeros((1, 8), np.float32)}, 0, '0'\n"
    )
    test = 'def test_release(gate):\n    gate("small-1.0.edgekit", data="field.py")\n'
    done = suite(test, "--edgekit-reports", "out", budget="[schema]\nmax_mismatch_share = 0\n")
    done.assert_outcomes(failed=1)
    files = [path.read_text() for path in (pytester.path / "out").iterdir()]
    assert len(files) == 4
    for text in (done.stdout.str(), *files):
        assert "it has ['***']" in text.replace("&#x27;", "'")
        assert "s3cr3t-value-of-the-token" not in text
