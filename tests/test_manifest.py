"""The manifest is strict: what it does not know it refuses, and it comes back as it was."""

import msgspec
import pytest
from builders import small_manifest

from edgekit.budget import AccuracyBudget, Budget
from edgekit.errors import BundleError
from edgekit.manifest import (
    CtcSpec,
    Feature,
    ImageTensorSpec,
    decode_manifest,
    encode_manifest,
)


def changed(**changes):
    fields = msgspec.json.decode(encode_manifest(small_manifest()))
    return msgspec.json.encode(fields | changes)


def test_a_manifest_comes_back_as_it_was():
    manifest = small_manifest(
        features=(Feature("x", ImageTensorSpec(48, channels="bgr", mean=(0.5, 0.5, 0.5))),),
        decoder=CtcSpec("y", blank=0),
        budget=Budget(accuracy=AccuracyBudget(max_drop=0.01)),
    )
    assert decode_manifest(encode_manifest(manifest), "x") == manifest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": 2}, "schema 2"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"name": "Not A Name"}, "name"),
        ({"name": "../up"}, "name"),
        ({"engine": "tensorrt"}, "engine"),
        ({"inputs": [{"name": "x", "dtype": "float32", "shape": [-1]}]}, "shape"),
        ({"inputs": [{"name": "x", "dtype": "complex64", "shape": [1]}]}, "dtype"),
        ({"decoder": {"type": "beam_search"}}, "beam_search"),
        ({"files": [{"path": "a", "sha256": "short", "size_bytes": 1}]}, "sha256"),
        ({"budget": {"accuracy": {"max_drop": 1.5}}}, "max_drop"),
        ({"budget": {"placement": {"max_cpu_macs": "2"}}}, "max_cpu_macs"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(changes, reason):
    with pytest.raises(BundleError, match=reason):
        decode_manifest(changed(**changes), "bundle 'x'")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"schema": "1"}'])
def test_what_is_no_manifest_is_refused(data):
    with pytest.raises(BundleError, match=r"manifest.json cannot be read"):
        decode_manifest(data, "bundle 'x'")
