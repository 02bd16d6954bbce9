import pytest

from edgekit.errors import UsageError
from edgekit.gate.wanted import places


def test_devices_are_sorted_by_what_they_give():
    found = places(("arm://cortex-a76", "local", "arm://cortex-a53"))
    assert found.timed == "local"
    assert found.counted == ("arm://cortex-a76", "arm://cortex-a53")
    assert places(("arm://cortex-a76",)).timed is None


@pytest.mark.parametrize(
    ("devices", "problem"),
    [
        (("local", "ssh://board"), "cannot be compared"),
        (("arm://cortex-a76", "arm://cortex-a76"), "named twice"),
        (("moon://base",), "no such kind of device"),
    ],
)
def test_devices_that_make_no_sense_together_are_refused(devices, problem):
    with pytest.raises(UsageError, match=problem):
        places(devices)
