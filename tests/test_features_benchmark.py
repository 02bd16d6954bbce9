"""How benchmarks/features times two builds of the kernels, and tells what bit identity costs."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from features.speech import speech

from edgekit._native import _kernels
from edgekit.features import LogMel

FOLDER = Path(__file__).parents[1] / "benchmarks" / "features"
ALONE = ("builds", "comparison", "facts", "memory", "report")


@pytest.fixture
def benchmark_of_features(monkeypatch):
    """Its modules, which import each other by name; another benchmark has names like theirs."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = {name: sys.modules.pop(name) for name in ALONE if name in sys.modules}
    yield importlib.import_module
    for name in ALONE:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def test_a_second_build_of_the_kernels_runs_beside_the_first(benchmark_of_features, monkeypatch):
    builds = benchmark_of_features("builds")
    monkeypatch.setattr(builds, "FUSED", Path(_kernels.__file__))
    shipped, second = builds.shipped(), builds.fused()
    assert shipped.features.LogMel is LogMel
    assert second.features.LogMel is not LogMel
    assert sys.modules["edgekit._native._kernels"] is _kernels
    samples = speech(0, 0.5)
    for build in (shipped, second):
        with build.instruction_set("portable"):
            found = build.features.LogMel.kaldi()(samples)
        np.testing.assert_array_equal(found, LogMel.kaldi()(samples))


def test_without_a_second_build_the_report_says_how_to_make_it(benchmark_of_features, monkeypatch):
    builds, report = benchmark_of_features("builds"), benchmark_of_features("report")
    monkeypatch.setattr(builds, "FUSED", Path("none.so"))
    assert builds.fused() is None
    assert report.costs([]) == ["Not measured: no build/fused; run: make bench-features"]


def test_the_cost_of_identity_is_what_the_shipped_build_takes_longer(benchmark_of_features):
    comparison, report = benchmark_of_features("comparison"), benchmark_of_features("report")
    timed = {isa: comparison.Timed(1.1, 1.0) for isa in comparison.ISAS}
    fused = {isa: comparison.Timed(1.0, 1.0) for isa in comparison.ISAS}
    outcome = comparison.Outcome(
        "log-mel", "frame", "peer", "way", comparison.Timed(4.0, 1.0), timed,
        dict.fromkeys(comparison.ISAS, 2.0), "near", fused, "nearer",
    )  # fmt: skip
    assert outcome.cost("avx2") == pytest.approx(0.1)
    assert "1.1 µs, fused 1 µs: +10.0%" in report.costs([outcome])[-1]


def test_memory_is_told_of_every_operation(benchmark_of_features):
    told = benchmark_of_features("memory").memory()
    for name in ("LogMel.kaldi", "Mfcc.kaldi", "MicroFrontend", "ImageTensor", "RollingStats"):
        assert any(row.startswith(name) for row in told), name
    assert all(any(digit in text for digit in "123456789") for text in told.values())
