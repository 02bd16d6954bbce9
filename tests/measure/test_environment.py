"""What a machine says of itself, from files as Linux shows them."""

import pytest

from edgekit.measure import environment


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of files: writes one below its /sys."""
    for name in ("CPU", "THERMAL"):
        monkeypatch.setattr(environment, name, tmp_path / name)

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


def test_governor_turbo_load_and_the_hottest_zone_are_recorded(machine):
    machine("CPU/cpu0/cpufreq/scaling_governor", "powersave\n")
    machine("CPU/intel_pstate/no_turbo", "1\n")
    machine("THERMAL/thermal_zone0/temp", "41000\n")
    machine("THERMAL/thermal_zone1/temp", "63500\n")
    found = environment.local_environment()
    assert (found.governor, found.turbo, found.temperature_c) == ("powersave", False, 63.5)
    assert found.load_1m >= 0.0


@pytest.mark.parametrize(("boost", "turbo"), [("1\n", True), ("0\n", False)])
def test_turbo_is_told_by_other_drivers_too(machine, boost, turbo):
    machine("CPU/cpufreq/boost", boost)
    assert environment.local_environment().turbo is turbo


def test_what_the_system_does_not_tell_is_none_and_never_a_guess(machine):
    machine("THERMAL/thermal_zone0/temp", "no number\n")
    found = environment.local_environment()
    assert (found.governor, found.turbo, found.temperature_c) == (None, None, None)


def test_an_arm_cpu_is_known_by_its_part(tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
    )
    monkeypatch.setattr(environment, "CPUINFO", cpuinfo)
    found = environment.local_environment()
    assert found.cpu == "implementer 0x41 part 0xd0b"
    assert found.cpu_features == ("asimd", "asimddp")
