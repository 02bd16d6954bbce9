"""An emulated Arm, for real: built, run and counted. Nothing here reads a clock."""

import subprocess

import numpy as np
import onnx
import pytest
from featurebundle import audio
from workmodels import endless

from edgekit.errors import CrashError, DeviceError, InputError
from edgekit.measure.devices.arm import ArmDevice
from edgekit.measure.devices.counting import Counting, regions_of
from edgekit.measure.devices.userland import prepare
from edgekit.measure.samples import Samples, given_samples

pytestmark = pytest.mark.slow

PROGRAM = """\
#include <unistd.h>
#include <sys/syscall.h>
volatile int memory[1000];
static void mark(int kind) { syscall(141, 0x65646765, kind, 0); }
__attribute__((noinline)) static void two_instructions(int kind, long turns)
{
    mark(kind);
    __asm__ volatile("1: subs %0, %0, #1\\n\\tb.ne 1b" : "+r"(turns) : : "cc");
    mark(kind);
}
int main(void)
{
    mark(1);
    for (int turn = 0; turn < 10; turn++)
        for (int i = 0; i < 1000; i++)
            (void)memory[i];
    mark(1);
    mark(2);
    for (int turn = 0; turn < 10; turn++)
        for (int i = 0; i < 1000; i++)
            memory[i] = i;
    mark(2);
    two_instructions(3, 500000);
    two_instructions(4, 1000000);
}
"""


def test_the_plugin_tells_instructions_loads_and_stores_apart(arm, tmp_path):
    source, program, marks = (tmp_path / name for name in ("it.c", "it", "marks"))
    source.write_text(PROGRAM)
    subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-static", source, "-o", program], check=True)
    with marks.open("w") as file:
        plugin = f"{arm.userland.plugin},fd={file.fileno()}"
        command = arm.userland.emulator.command(arm.userland.cpu, tmp_path, plugin)
        subprocess.run([*command, program], pass_fds=[file.fileno()], check=True)
    with marks.open("rb") as file:
        regions = regions_of(file)
    loading, storing, half, whole = (regions[kind, 0][0] for kind in (1, 2, 3, 4))
    assert whole.instructions - half.instructions == 2 * 500_000  # exactly
    assert 30_000 < loading.instructions < 100_000
    assert [round(count, -3) for count in (loading.loads, loading.stores)] == [10_000, 0]
    assert [round(count, -3) for count in (storing.loads, storing.stores)] == [0, 10_000]


def test_the_userland_is_what_it_was_built_from(arm):
    about = arm.describe()
    assert about["arch"] == "aarch64"
    assert list(about["cpu_features"]) == ["asimd"]
    assert about["isas"][0] == "portable"
    assert about["versions"]["numpy"] == np.__version__
    assert about["versions"]["qemu"].startswith("7.2.")
    assert {"libc6", "python", "onnxruntime", "edgekit"} <= about["versions"].keys()


def test_an_archive_that_changed_is_refused(arm, kept_cache):
    (wheel,) = (kept_cache / "arm").glob("wheels-*/msgspec-*.whl")
    whole = wheel.read_bytes()
    try:
        wheel.write_bytes(whole + b"x")
        with pytest.raises(DeviceError, match=r"msgspec-.* has sha256 .*lock\.json says"):
            prepare(arm.userland.cpu, kept_cache / "arm")
    finally:
        wheel.write_bytes(whole)


def test_the_same_work_counts_the_same_and_one_percent_more_is_seen(arm, models, tmp_path):
    counted = {
        name: arm.count(path, given_samples([{"x": np.ones((1, 64), np.float32)}])).inference
        for name, path in models.items()
        if name in ("ten", "twin", "more")
    }
    ten = counted["ten"].instructions
    assert abs(counted["twin"].instructions / ten - 1) < 0.001
    assert counted["more"].instructions / ten > 1.01
    products = 2 * 64 * 64  # multiply-adds of two more layers, four to an instruction at best
    assert products / 4 < counted["more"].instructions - ten < 4 * products
    assert counted["ten"].loads > counted["ten"].stores > 0
    feeds = given_samples([{"x": np.ones((1, 64), np.float32)}])
    quick = arm.count(models["ten"], feeds, Counting(memory=False)).inference
    assert abs(quick.instructions / ten - 1) < 0.001
    assert quick.loads is None


def test_features_and_int8_arithmetic_have_the_hosts_bits(arm, models):
    samples = Samples((audio(0), audio(1)), raw=True, source="audio")
    found = arm.measure(models["features"], samples)
    counted = found.counted
    assert counted.features_identical
    assert counted.outputs_identical
    assert counted.differences == ()
    assert [sample.calls for sample in counted.samples] == [6, 6]
    assert counted.features.instructions > 100_000
    assert found.timed is None
    assert "never a latency" in found.notes[0]


def test_what_a_model_refuses_there_is_refused_here(arm, models):
    with pytest.raises(InputError):
        arm.count(models["ten"], given_samples([{"x": np.ones((1, 3), np.float32)}]))


def test_a_model_that_hangs_is_ended_and_named(arm, tmp_path):
    onnx.save(endless(), tmp_path / "endless.onnx")
    feeds = given_samples([{"x": np.ones((1, 1), np.float32)}])
    with pytest.raises(CrashError, match=r"endless\.onnx.* took more than 6 s"):
        arm.count(tmp_path / "endless.onnx", feeds, Counting(timeout_s=6.0))


def test_a_process_that_dies_is_a_crash_with_its_signal(arm, models, monkeypatch):
    feeds = given_samples([{"x": np.ones((1, 64), np.float32)}])
    userland = type(arm.userland)
    monkeypatch.setattr(
        userland, "python", lambda *_, **__: ["sh", "-c", "echo dying >&2; kill -ILL $$"]
    )
    with pytest.raises(CrashError, match=r"cortex-a72 process \(signal SIGILL: dying\)"):
        arm.count(models["ten"], feeds)


def test_without_a_network_or_a_cache_it_says_what_it_could_not_fetch(arm, tmp_path, monkeypatch):
    for scheme in ("http", "https", "ftp"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    with pytest.raises(DeviceError, match=r"cannot (read the package lists|fetch).*network"):
        assert ArmDevice("cortex-a72", tmp_path).userland
    assert not (tmp_path / "arm" / "base").exists()
