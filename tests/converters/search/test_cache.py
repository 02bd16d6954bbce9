"""What is kept between searches: whole, bounded, and only for what it was found for."""

import os

import pytest
from edgekit_converters.search.cache import FolderCache, NoCache, remembered
from edgekit_converters.search.evaluate import remembering
from edgekit_converters.search.identity import data_digest, digest_of, own_code
from networks import task_text

from edgekit.task import load_task

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def cache(tmp_path):
    return FolderCache(tmp_path / "search")


def files(cache):
    return [path for path in cache.folder.rglob("*") if path.is_file()]


def test_what_was_put_comes_back(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, b"content")
    assert cache.get(KEY) == b"content"
    assert cache.get(OTHER) is None


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:10], lambda b: b"x" + b[1:]])
def test_a_damaged_entry_is_noticed_and_made_again(cache, damage):
    cache.put(KEY, b"content")
    (path,) = files(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    assert files(cache) == []
    assert remembered(cache, KEY, int, lambda: 7) == 7
    assert remembered(cache, KEY, int, lambda: 8) == 7


def test_an_entry_of_another_kind_is_made_again(cache):
    cache.put(KEY, b"\xc1")
    assert remembered(cache, KEY, int, lambda: 3) == 3


def test_the_least_recently_used_goes_when_it_is_full(tmp_path):
    cache = FolderCache(tmp_path, limit_bytes=300)
    keys = [letter * 64 for letter in "abc"]
    for age, key in enumerate(keys):
        cache.put(key, bytes(60))
        os.utime(tmp_path / key[:2] / key, (age, age))
    assert cache.get(keys[0]) is not None  # used just now
    cache.put("d" * 64, bytes(60))
    assert [key[0] for key in (*keys, "d" * 64) if cache.get(key) is not None] == ["a", "c", "d"]


def test_a_part_of_its_own_is_cleared_alone_and_counts_for_the_limit(tmp_path):
    cache = FolderCache(tmp_path, limit_bytes=300)
    part = cache.within("part")
    part.put(KEY, bytes(200))
    cache.put(OTHER, bytes(60))
    assert part.get(KEY) is None  # the least recently used of all went
    part.put(KEY, b"content")
    assert (part.get(KEY), cache.get(KEY)) == (b"content", None)
    part.clear()
    assert part.get(KEY) is None
    assert cache.get(OTHER) == bytes(60)
    assert [path.name for path in tmp_path.iterdir()] == [OTHER[:2]]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "taken").write_text("a file")
    cache = FolderCache(tmp_path / "taken")
    cache.put(KEY, b"content")
    assert cache.get(KEY) is None
    assert NoCache().get(KEY) is None


def test_another_sample_or_another_line_of_the_task_is_another_identity(tmp_path):
    path = tmp_path / "task.py"

    def digest(text):
        path.write_text(text)
        return data_digest(remembering(load_task(path)))

    first = digest(task_text())
    assert digest(task_text()) == first
    assert digest(task_text() + "\n# a comment\n") != first


def test_samples_that_do_not_pickle_have_no_identity(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(task_text() + "\n_s = samples\ndef samples(split):\n"
                    "    yield from ((lambda: x, y, g) for x, y, g in _s(split))\n")  # fmt: skip
    assert data_digest(remembering(load_task(path))) is None


def test_digests_depend_on_every_part():
    assert digest_of("a", 1) != digest_of("a", 2) != digest_of(["a"], 2)
    assert len(own_code()) == 64
