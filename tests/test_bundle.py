"""Writing and reading bundles: deterministic, aligned, and not one flipped bit accepted."""

import os
import zipfile

import pytest
from builders import small_files, small_manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle import Bundle, write_bundle
from edgekit.container import ALIGNMENT_BYTES, read_container
from edgekit.errors import BundleError, StorageError
from edgekit.manifest import ClassifySpec, Feature, ImageTensorSpec


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    files = small_files()
    write_bundle(tmp_path / "a", small_manifest(), files)
    write_bundle(tmp_path / "b", small_manifest(), dict(reversed(files.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_was_written_is_read_back(small_bundle):
    with Bundle.open(small_bundle) as bundle:
        assert bundle.manifest.name == "small"
        assert {name: bundle.read(name) for name in small_files()} == small_files()
        assert bundle.size_bytes == small_bundle.stat().st_size


def test_every_content_is_aligned(small_bundle):
    with small_bundle.open("rb") as file:
        entries = read_container(file, "small")
    assert [entry.offset % ALIGNMENT_BYTES for entry in entries] == [0] * len(entries)


def test_any_zip_tool_can_open_it(small_bundle):
    with zipfile.ZipFile(small_bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.json"
        assert archive.read("labels.json") == small_files()["labels.json"]


def test_attestations_do_not_change_what_the_bundle_is(tmp_path):
    write_bundle(tmp_path / "plain", small_manifest(), small_files())
    signed = small_files() | {"attestations/signature.json": b"{}"}
    write_bundle(tmp_path / "signed", small_manifest(), signed)
    with Bundle.open(tmp_path / "plain") as plain, Bundle.open(tmp_path / "signed") as bundle:
        assert plain.sha256 == bundle.sha256
        assert bundle.read("attestations/signature.json") == b"{}"


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    write_bundle(folder / "whole", small_manifest(), small_files())
    content = bytearray((folder / "whole").read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    (folder / "flipped").write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.open(folder / "flipped")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_truncation_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "truncated"
    folder.mkdir(exist_ok=True)
    write_bundle(folder / "whole", small_manifest(), small_files())
    content = (folder / "whole").read_bytes()
    (folder / "cut").write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(BundleError):
        Bundle.open(folder / "cut")


def test_a_file_changed_after_opening_is_noticed(small_bundle):
    with Bundle.open(small_bundle) as bundle:
        content = small_bundle.read_bytes()
        at = content.index(small_files()["labels.json"])
        with small_bundle.open("r+b") as file:
            file.seek(at)
            file.write(b'["x')
        with pytest.raises(BundleError, match=r"labels\.json has sha256"):
            bundle.read("labels.json")


def test_a_missing_bundle_says_so(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        Bundle.open(tmp_path / "none.edgekit")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decoder": ClassifySpec("z")}, "decoder output 'z'"),
        ({"labels": "none.json"}, "labels 'none.json'"),
        ({"features": (Feature("z", ImageTensorSpec(8)),)}, "feature for input 'z'"),
    ],
)
def test_a_manifest_that_points_nowhere_is_not_written(tmp_path, changes, reason):
    path = tmp_path / "small.edgekit"
    with pytest.raises(BundleError, match=reason):
        write_bundle(path, small_manifest(**changes), small_files())
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_would_be_refused_is_not_written(tmp_path):
    with pytest.raises(BundleError, match="leaves the bundle"):
        write_bundle(tmp_path / "x", small_manifest(), small_files() | {"../evil": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_bundle_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "small.edgekit"
    write_bundle(path, small_manifest(), small_files())
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_bundle(path, small_manifest(version="2.0"), small_files())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write_bundle(tmp_path / "none" / "x.edgekit", small_manifest(), small_files())
