import math

import numpy as np
import pytest
from scipy import stats

from edgekit import statistics as st


def misses_of_sequence(draw, mean, runs, looks, seed):
    random = np.random.default_rng(seed)
    missed = 0
    for _ in range(runs):
        values = draw(random, looks)
        intervals = (st.mean_sequence(values[:n]) for n in range(2, looks + 1))
        missed += any(not low <= mean <= high for low, _, high in intervals)
    return missed


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda r, n: r.normal(0.03, 0.02, n), 0.03),
        (lambda r, n: 0.01 * r.standard_t(4, n), 0.0),
        (lambda r, n: r.laplace(0.0, 0.02, n), 0.0),
        # most blocks quiet, one in five ten times as noisy: what a loaded runner does
        (lambda r, n: r.normal(0.0, np.where(r.random(n) < 0.2, 0.05, 0.005)), 0.0),
    ],
    ids=["normal", "student4", "laplace", "bursts"],
)
def test_a_mean_sequence_misses_the_mean_in_at_most_one_run_of_twenty_over_all_looks(draw, mean):
    missed = misses_of_sequence(draw, mean, runs=400, looks=40, seed=7)
    assert missed <= 400 * 0.05


def test_a_fixed_interval_looked_at_repeatedly_would_miss_far_more_often():
    random = np.random.default_rng(7)
    missed = 0
    for _ in range(300):
        x = random.normal(0.0, 1.0, 40)
        missed += any(
            abs(x[:n].mean()) > stats.t.ppf(0.975, n - 1) * x[:n].std(ddof=1) / math.sqrt(n)
            for n in range(2, 41)
        )
    assert missed > 300 * 0.15


def test_a_mean_sequence_says_nothing_from_one_value_and_narrows_with_more():
    assert st.mean_sequence([0.1]).high == math.inf
    values = np.random.default_rng(1).normal(0.0, 1.0, 400)
    wide, narrow = st.mean_sequence(values[:20]), st.mean_sequence(values)
    assert narrow.high - narrow.low < 0.4 * (wide.high - wide.low)


def test_a_mean_sequence_excludes_a_limit_that_is_five_deviations_away_within_eight_blocks():
    values = np.random.default_rng(2).normal(0.0, 0.01, 8)
    assert st.mean_sequence(values).high < 0.05


def test_bounding_p99_takes_459_samples_and_p95_takes_90():
    assert st.samples_for_quantile(0.99) == 459
    assert st.samples_for_quantile(0.95) == 90


def test_one_sample_fewer_than_needed_gives_no_upper_bound():
    values = np.arange(459.0)
    assert st.quantile_bound(values, 0.99).high == 458.0
    short = st.quantile_bound(values[:458], 0.99)
    assert short.high is None
    assert (short.samples, short.needed) == (458, 459)


@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_each_side_of_a_quantile_bound_holds_in_99_of_100_runs(quantile):
    random = np.random.default_rng(3)
    runs, n = 2000, 700
    truth = stats.lognorm(0.5).ppf(quantile)
    bounds = [st.quantile_bound(random.lognormal(0.0, 0.5, n), quantile) for _ in range(runs)]
    slack = 3 * math.sqrt(runs * 0.01)
    assert sum(b.high < truth for b in bounds) <= runs * 0.01 + slack
    assert sum(b.low > truth for b in bounds) <= runs * 0.01 + slack
    assert min(sum(b.high >= truth for b in bounds), sum(b.low <= truth for b in bounds)) < runs


def test_resamples_keep_groups_whole_and_depend_only_on_the_seed():
    groups = ["a", "b", "a", "c", "c", "c"]
    first = [tuple(r) for r in st.cluster_resamples(groups, 50, seed=4)]
    assert first == [tuple(r) for r in st.cluster_resamples(groups, 50, seed=4)]
    assert first != [tuple(r) for r in st.cluster_resamples(groups, 50, seed=5)]
    for indices in first:
        counts = np.bincount(indices, minlength=6)
        assert counts[0] == counts[2]
        assert counts[3] == counts[4] == counts[5]


def test_the_group_bootstrap_covers_where_a_bootstrap_of_samples_does_not():
    random = np.random.default_rng(5)
    runs, group_count = 200, 20
    missed = {True: 0, False: 0}
    groups = np.repeat(np.arange(group_count), 6)
    for run in range(runs):
        x = random.normal(0.0, 1.0, group_count)[groups] + random.normal(0.0, 0.5, groups.size)
        for by_group in missed:
            labels = list(groups if by_group else range(groups.size))
            draws = [x[i].mean() for i in st.cluster_resamples(labels, 500, seed=run)]
            low, high = st.expanded_percentiles(draws, len(set(labels)), (0.025, 0.975))
            missed[by_group] += not low <= 0.0 <= high
    assert missed[True] <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)
    assert missed[False] > runs * 0.3


def test_the_group_bootstrap_of_a_paired_drop_covers_and_is_narrower_than_one_of_two_samples():
    random = np.random.default_rng(11)
    runs, group_count, each = 200, 30, 8
    groups = np.repeat(np.arange(group_count), each)
    missed, widths = 0, {True: [], False: []}
    for run in range(runs):
        easy = random.beta(2.0, 1.0, group_count)[groups]
        before = random.random(groups.size) < easy
        after = before & (random.random(groups.size) < 0.95)  # loses one right answer of twenty
        drop = before.astype(float) - after
        resamples = list(st.cluster_resamples(list(groups), 400, seed=run))
        shuffled = resamples[1:] + resamples[:1]
        paired = [drop[i].mean() for i in resamples]
        apart = [
            before[i].mean() - after[j].mean() for i, j in zip(resamples, shuffled, strict=True)
        ]
        for kind, draws in ((True, paired), (False, apart)):
            low, high = st.expanded_percentiles(draws, group_count, (0.025, 0.975))
            widths[kind].append(high - low)
            missed += kind and not low <= 0.05 * 2.0 / 3.0 <= high
    assert missed <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)
    assert np.median(widths[True]) < 0.5 * np.median(widths[False])


def test_the_jackknife_of_a_ratio_covers_in_19_of_20_runs():
    random = np.random.default_rng(6)
    runs, missed = 400, 0
    groups = list(np.repeat(np.arange(30), 4))
    for run in range(runs):
        length = random.integers(5, 40, len(groups))
        errors = random.binomial(length, 0.1)
        error, freedom = st.jackknife(
            lambda i, e=errors, n=length: e[i].sum() / n[i].sum(), groups, folds=30, seed=run
        )
        point = errors.sum() / length.sum()
        missed += abs(point - 0.1) > st.student_t_quantile(0.975, freedom) * error
    assert missed <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)


def test_the_jackknife_of_a_mean_is_the_usual_standard_error():
    x = np.random.default_rng(8).normal(0.0, 1.0, 25)
    error, freedom = st.jackknife(lambda i: float(x[i].mean()), list(range(25)), folds=99, seed=0)
    assert error == pytest.approx(x.std(ddof=1) / 5.0)
    assert freedom == 24


def test_a_jackknife_of_many_groups_calls_the_statistic_once_per_fold():
    calls = []
    st.jackknife(lambda i: calls.append(i) or float(len(i)), list(range(1000)), folds=20, seed=0)
    assert len(calls) == 20
    assert {len(i) for i in calls} == {950}


def test_no_difference_in_299_groups_bounds_the_share_at_one_percent():
    assert st.all_agree_bound(299) <= 0.01 < st.all_agree_bound(298)
    assert st.groups_to_agree(0.01) == 299


def test_the_bound_of_what_was_not_seen_misses_in_at_most_one_run_of_twenty():
    random = np.random.default_rng(12)
    runs, share = 4000, 0.0101
    unseen = random.binomial(299, share, runs) == 0
    assert st.all_agree_bound(299) < share
    assert unseen.sum() <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 5), (3, 9), (10, 10), (40, 20)])
def test_mcnemar_equals_the_exact_binomial_test(b, c):
    expected = stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert st.mcnemar(b, c) == pytest.approx(expected)


def test_mcnemar_errs_in_at_most_one_comparison_of_twenty_and_finds_three_to_one():
    random = np.random.default_rng(13)
    runs = 2000
    wrong = found = 0
    for discordant in random.binomial(300, 0.2, runs):
        equal = random.binomial(discordant, 0.5)
        worse = random.binomial(discordant, 0.25)
        wrong += st.mcnemar(equal, discordant - equal) < 0.05
        found += st.mcnemar(worse, discordant - worse) < 0.05
    assert wrong <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)
    assert found > runs * 0.9


def test_holm_equals_the_worked_example_and_keeps_the_order_of_the_input():
    assert st.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert st.holm([]) == []


def test_holm_errs_in_at_most_one_family_of_twenty():
    random = np.random.default_rng(9)
    families = 2000
    wrong = sum(min(st.holm(list(random.random(6)))) < 0.05 for _ in range(families))
    assert wrong <= families * 0.05 + 3 * math.sqrt(families * 0.05 * 0.95)


@pytest.mark.parametrize("decimals", [1, 12])
def test_mann_whitney_equals_scipy_with_and_without_ties(decimals):
    random = np.random.default_rng(10)
    a = random.normal(0.0, 1.0, 30).round(decimals)
    b = random.normal(0.4, 1.0, 45).round(decimals)
    expected = stats.mannwhitneyu(b, a, method="asymptotic")
    result = st.mann_whitney(a, b)
    assert result.u == expected.statistic
    assert result.p_value == pytest.approx(expected.pvalue)
    assert result.superiority == expected.statistic / (30 * 45)


@pytest.mark.parametrize("decimals", [0, 12], ids=["ties", "no ties"])
def test_mann_whitney_errs_in_about_one_comparison_of_twenty(decimals):
    random = np.random.default_rng(14)
    runs = 2000
    samples = random.lognormal(1.0, 0.5, (runs, 75)).round(decimals)
    wrong = sum(st.mann_whitney(row[:30], row[30:]).p_value < 0.05 for row in samples)
    assert abs(wrong / runs - 0.05) <= 3 * math.sqrt(0.05 * 0.95 / runs)


def test_mann_whitney_of_equal_constants_sees_no_difference():
    assert st.mann_whitney([1.0] * 9, [1.0] * 9) == st.MannWhitney(40.5, 1.0, 0.5)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 200])
@pytest.mark.parametrize("probability", [0.005, 0.3, 0.5, 0.975, 0.9995])
def test_student_t_quantiles_equal_scipy(freedom, probability):
    expected = stats.t.ppf(probability, freedom)
    assert st.student_t_quantile(probability, freedom) == pytest.approx(expected, abs=1e-6)


def test_rank_correlation_is_that_of_scipy_with_ties():
    random = np.random.default_rng(5)
    for _ in range(20):
        a, b = random.integers(0, 6, 30), random.integers(0, 6, 30)
        assert st.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_rank_correlation_of_what_has_no_order():
    assert st.spearman([1, 1, 1], [2, 2, 2]) == 1.0
    assert st.spearman([1, 1, 1], [1, 2, 3]) == 0.0
