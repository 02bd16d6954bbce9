import pytest

from edgekit.errors import BudgetError, StorageError
from edgekit.gate.budget import TABLES, limits, load_budget, parse_budget


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "budget.toml"
        path.write_text(text)
        return path

    return write


def test_limits_come_in_the_order_of_the_schema(write):
    budget = load_budget(write("[size]\nmax_mb = 4\n[accuracy]\nmax_drop = 0.01\n"))
    assert limits(budget) == {"accuracy.max_drop": 0.01, "size.max_mb": 4.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[latncy]\nmax_ratio = 1.05", r"no table 'latncy'; did you mean 'latency'\?"),
        ("[latency]\nmax_ration = 1.05", r"no key 'max_ration'; did you mean 'max_ratio'\?"),
        ("[latency]\np99 = 20", r"no key 'p99'; did you mean 'p99_ms'\?"),
        ("[size]\nzzz = 1", "no key 'zzz'; known are max_ratio, max_mb"),
        ("[latency]\np95_ms = 0", r"\[latency\] p95_ms: Expected `float` > 0"),
        ("[latency]\np95_ms = -3.0", r"\[latency\] p95_ms: Expected `float` > 0"),
        ("[latency]\np95_ms = '20 ms'", "Expected `float.*got `str`; limits are numbers"),
        ("[latency]\np95_ms = true", "Expected `float"),
        ("[latency]\nmax_ratio = 0", r"\[latency\] max_ratio: Expected `float` > 0"),
        ("[latency]\nmax_ratio = '5 %'", "got `str`; limits are numbers without units"),
        ("[instructions]\nmax_millions = 0", "max_millions: Expected `float` > 0"),
        ("[size]\nmax_mb = '4 MB'", "got `str`; limits are numbers without units"),
        ("[size]\nmax_mb = 1e400", "inf is no limit"),
        ("[memory]\nmax_ratio = -1", "max_ratio: Expected `float` > 0"),
        ("[accuracy]\nmin_score = 1.01", "min_score: Expected `float` <= 1"),
        ("[accuracy]\nmax_drop = -0.1", "max_drop: Expected `float` >= 0"),
        ("[fidelity]\nmin_recall = 2", "min_recall: Expected `float` <= 1"),
        ("[accuracy]\nmax_drop = 1.5", r"max_drop: Expected `float` <= 1"),
        ("[accuracy]\nmax_drop = nan", "nan is no limit"),
        ("[memory]\npeak_mb = inf", "inf is no limit"),
        ("[placement]\nmax_cpu_macs = '200%'", "Expected `str` matching regex"),
        ("[drift]\nmax_ks = 0", r"\[drift\] max_ks: Expected `float` > 0"),
        ("[drift]\nmax_ks = 20", r"\[drift\] max_ks: Expected `float` <= 1"),
        ("[drift]\nmax_psi = '25%'", "got `str`; limits are numbers without units"),
        ("[drift]\nks = 0.2", r"no key 'ks'; did you mean 'max_ks'\?"),
        ("[schema]\nmax_nan_share = 0", r"no key 'max_nan_share'; did you mean"),
        ("[schema]\nmax_outside_share = 1.5", r"max_outside_share: Expected `float` <= 1"),
        ("[labels]\nmax_conflicts = 0.5", r"\[labels\] max_conflicts: Expected `int"),
        ("[labels]\nmax_conflicts = -1", r"\[labels\] max_conflicts: Expected `int` >= 0"),
        ("[labels]\nmin_class_samples = 0", r"min_class_samples: Expected `int` >= 1"),
        ("[label]\nmax_conflicts = 0", r"no table 'label'; did you mean 'labels'\?"),
        ("latency = 5", r"it is 5, expected a table of limits; write \[latency\]"),
        ("[latency]", r"it sets no limit; set one"),
        ("", "it sets no limit"),
        ("[latency", "it is not TOML"),
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused_with_the_way_out(write, text, words):
    with pytest.raises(BudgetError, match=words):
        load_budget(write(text))


def test_a_budget_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "budget.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BudgetError, match="it is not TOML"):
        load_budget(tmp_path / "budget.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"missing\.toml.*No such file"):
        load_budget(tmp_path / "missing.toml")


def test_every_table_of_the_schema_is_known():
    assert set(TABLES) == {
        "accuracy", "fidelity", "explanation", "latency", "instructions", "memory", "size",
        "placement", "schema", "drift", "labels",
    }  # fmt: skip


def test_metrics_have_tables_by_their_names():
    budget = parse_budget({"metrics": {"recall": {"max_drop": 0.02}}}, "budget")
    assert limits(budget) == {"metrics.recall.max_drop": 0.02}


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"metrics": {"recall": {"max_dorp": 0.1}}}, "did you mean 'max_drop'"),
        ({"metrics": {"a b": {"max_drop": 0.1}}}, "letters, digits"),
        ({"metrics": {"recall": 0.1}}, "expected a table of limits"),
        ({"metrics": 3}, "expected a table of limits"),
        ({"metrics": {"recall": {"max_drop": 2}}}, "max_drop: Expected"),
        ({"explanation": {"min_rank_agreement": 1.5}}, r"\[explanation\] min_rank_agreement"),
    ],
)
def test_tables_of_metrics_are_as_strict(tables, problem):
    with pytest.raises(BudgetError, match=problem):
        parse_budget(tables, "budget")
