"""What a device cannot give is absent from its JSON, not zero."""

import msgspec
from recordings import ENVIRONMENT

from edgekit.measure.devices.measurement import Counted, Counts, Measurement, SampleCounts


def test_a_device_without_a_clock_has_no_latency_and_one_without_counts_no_instructions():
    counts = Counts(5, 2, 1)
    counted = Counted(counts, (SampleCounts(6, counts),), True, "noise", "onnxruntime 1", {}, True)
    emulated = Measurement("arm://cortex-a53", 10, ENVIRONMENT, "noise", counted=counted)
    found = msgspec.to_builtins(emulated)
    assert "timed" not in found
    assert found["counted"]["inference"] == {"instructions": 5, "loads": 2, "stores": 1}
    assert "features" not in found["counted"]
    assert msgspec.to_builtins(Counts(5)) == {"instructions": 5}
    assert "counted" not in msgspec.to_builtins(Measurement("x", 10, ENVIRONMENT, "noise"))
