import math

import msgspec
import numpy as np
import pytest
from recordings import record

from edgekit.measure.protocol import Times
from edgekit.measure.recording import (
    ASSUMED_RESOLUTION,
    BASELINE,
    CANDIDATE,
    RESOLUTION,
    UNBOUNDED,
    Recording,
    candidate_ratio,
    latency_figures,
    noise_of,
    ratio_of,
    side_figures,
    too_noisy,
)

LIMIT = 1.05


def verdict(recording):
    ratio = candidate_ratio(recording)
    if ratio.high <= LIMIT:
        return "pass"
    return "fail" if ratio.low > LIMIT else "open"


@pytest.mark.parametrize(
    ("slower", "expected", "at_least"),
    [(1.0, "pass", 0.9), (1.1, "fail", 0.9), (1.2, "fail", 1.0), (0.8, "pass", 1.0)],
)
def test_equal_models_pass_and_slower_ones_fail_on_a_loaded_machine(slower, expected, at_least):
    found = [verdict(record(slower, seed=seed)) for seed in range(60)]
    wrong = {"pass": "fail", "fail": "pass"}[expected]
    assert found.count(wrong) == 0
    assert found.count(expected) >= at_least * 60


def test_comparing_means_of_the_same_recordings_would_fail_equal_models_often():
    recordings = [record(1.0, seed=seed) for seed in range(200)]
    failed = sum(
        rec.calls_ms(CANDIDATE).mean() / rec.calls_ms(BASELINE).mean() > LIMIT for rec in recordings
    )
    assert failed > 10


def test_the_interval_holds_the_truth_at_every_look_in_at_least_95_of_100_recordings():
    missed = 0
    for seed in range(100):
        recording = record(1.1, seed=seed, bias=0.0)
        looks = [Recording(recording.starts, recording.blocks[:n]) for n in range(6, 73, 6)]
        ratios = [ratio_of(look, CANDIDATE, (BASELINE,), resolution=0.0) for look in looks]
        missed += any(not ratio.low <= 1.1 <= ratio.high for ratio in ratios)
    assert missed <= 5


def test_no_ratio_is_claimed_more_finely_than_the_resolution():
    ratio = candidate_ratio(record(1.0, rounds=400, noise=0.001, bias=0.0))
    assert ratio.resolution >= RESOLUTION
    assert ratio.high / ratio.low >= (1 + RESOLUTION) ** 2


def test_a_baseline_that_differs_from_itself_by_more_than_that_sets_the_resolution():
    recording = record(1.0, bias=0.08, seed=2)
    noise = noise_of(recording)
    assert abs(math.log(noise.point)) > math.log1p(RESOLUTION)
    assert candidate_ratio(recording).resolution == pytest.approx(
        math.exp(abs(math.log(noise.point))) - 1
    )


def test_without_a_second_baseline_more_is_assumed_than_where_it_was_measured():
    recording = record(1.0, bias=0.0, noise=0.001)
    starts = tuple(start for start in recording.starts if start.role != "baseline again")
    blind = candidate_ratio(Recording(starts, recording.blocks))
    assert blind.resolution == ASSUMED_RESOLUTION > candidate_ratio(recording).resolution


def test_calls_that_wait_are_judged_by_wall_time():
    assert candidate_ratio(record(waiting=0.0)).clock == "cpu"
    assert candidate_ratio(record(waiting=1.0)).clock == "wall"


def on_several_threads(recording):
    """The same, where no clock tells CPU time of a call."""
    blocks = tuple(
        (process, msgspec.structs.replace(times, cpu_ns={})) for process, times in recording.blocks
    )
    return Recording(recording.starts, blocks)


def test_wall_time_is_used_where_cpu_time_is_not_told():
    ratio = candidate_ratio(on_several_threads(record(1.1, interrupted=0.0)))
    assert ratio.clock == "wall"
    assert ratio.point == pytest.approx(1.1, rel=0.02)


@pytest.mark.parametrize("slower", [1.0, 1.2])
def test_wall_time_is_judged_though_a_third_of_the_calls_lose_a_core(slower):
    recordings = [record(slower, seed=n, calls=8, rounds=40, interrupted=0.3) for n in range(12)]
    ratios = [candidate_ratio(on_several_threads(recording)) for recording in recordings]
    assert all(ratio.low <= slower <= ratio.high for ratio in ratios)
    assert sum(ratio.settles(1.1) for ratio in ratios) >= 10


def test_interruptions_by_other_programs_do_not_widen_the_interval():
    calm, busy = candidate_ratio(record(interrupted=0.0)), candidate_ratio(record(interrupted=0.6))
    assert busy.high / busy.low < 1.2 * calm.high / calm.low


def test_too_few_blocks_bound_nothing():
    ratio = candidate_ratio(record(1.0, rounds=1, processes=2))
    assert ratio.low == 0.0
    assert ratio.high == pytest.approx(UNBOUNDED)
    assert not ratio.settles(LIMIT)


def test_each_process_is_shown_alone():
    ratio = candidate_ratio(record(1.1, processes=3))
    assert len(ratio.by_process) == 3
    assert np.exp(np.log(ratio.by_process).mean()) == pytest.approx(ratio.point)


def test_a_recording_without_a_second_baseline_has_no_noise_figure():
    recording = record()
    starts = tuple(start for start in recording.starts if start.role != "baseline again")
    assert noise_of(Recording(starts, recording.blocks)) is None


def test_percentiles_are_calls_that_were_seen():
    figures = latency_figures(np.arange(1.0, 101.0))
    assert (figures.p50, figures.p90, figures.p95, figures.p99, figures.max) == (
        50,
        90,
        95,
        99,
        100,
    )


def test_memory_comes_only_from_processes_that_loaded_the_side_first():
    recording = record()
    assert side_figures(recording, CANDIDATE).peak_mb == 80.0
    later = tuple(start for start in recording.starts if start.place > 0)
    assert side_figures(Recording(later, recording.blocks), CANDIDATE).peak_mb is None


def test_features_and_model_share_the_time_of_a_call():
    total, features = [5_000_000, 7_000_000, 6_000_000], [1_000_000] * 3
    block = Times({CANDIDATE: total}, {CANDIDATE: features}, {}, {})
    figures = side_figures(Recording(record().starts, ((0, block),)), CANDIDATE)
    assert (figures.features_p50_ms, figures.model_p50_ms) == (1.0, 5.0)
    assert figures.throughput_per_s == pytest.approx(1000 / 6)


def test_a_machine_too_noisy_for_a_limit_is_known_by_the_baseline_against_itself():
    restless = record(1.0, bias=0.08, seed=2)
    assert too_noisy(restless, LIMIT)
    assert not too_noisy(restless, 1.5)
    assert not too_noisy(record(1.0), 1.0)
    starts = tuple(start for start in restless.starts if start.role != "baseline again")
    assert not too_noisy(Recording(starts, restless.blocks), LIMIT)


def test_energy_is_told_of_a_side_that_was_timed_alone():
    starts = record().starts
    blocks = tuple(
        (0, Times({CANDIDATE: [1000] * 4}, {}, {}, {}, energy_uj=uj)) for uj in (2000, 6000)
    )
    assert side_figures(Recording(starts, blocks), CANDIDATE).energy_mj == 1.0
    untold = (*blocks, (0, Times({CANDIDATE: [1000] * 4}, {}, {}, {})))
    assert side_figures(Recording(starts, untold), CANDIDATE).energy_mj is None
    assert side_figures(record(), CANDIDATE).energy_mj is None
