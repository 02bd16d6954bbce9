import pytest

from edgekit.measure.energy import Counter, find_counter


@pytest.fixture
def rapl(tmp_path):
    zone = tmp_path / "powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "energy_uj").write_text("1000\n")
    (zone / "max_energy_range_uj").write_text("5000\n")
    (tmp_path / "powercap/intel-rapl:0:0").mkdir()
    (tmp_path / "powercap/intel-rapl:0:0/energy_uj").write_text("1\n")
    return tmp_path


def test_the_package_is_taken_not_a_part_of_it(rapl):
    counter = find_counter(rapl)
    assert counter.path.parent.name == "intel-rapl:0"
    assert counter.wrap_uj == 5000


def test_what_was_spent_survives_the_wrap_of_the_counter(rapl):
    counter = find_counter(rapl)
    assert counter.since(400) == 600
    assert counter.since(4900) == 1100


def test_hwmon_is_second(tmp_path):
    (tmp_path / "hwmon/hwmon3").mkdir(parents=True)
    (tmp_path / "hwmon/hwmon3/energy1_input").write_text("77\n")
    assert find_counter(tmp_path) == Counter(tmp_path / "hwmon/hwmon3/energy1_input", None)


def test_a_machine_that_tells_nothing_has_no_counter(tmp_path, rapl):
    (rapl / "powercap/intel-rapl:0/energy_uj").write_text("not a number")
    assert find_counter(rapl) is None
    assert find_counter(tmp_path / "nowhere") is None
