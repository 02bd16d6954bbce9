import threading
import weakref

import numpy as np
import pytest
from features.speech import speech
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import InputError, UsageError
from edgekit.features import LogMel, Mfcc, MicroFrontend

SPEECH = (speech(2, 2.0) * 30_000).astype(np.int16)
FEATURES = {
    "kaldi": LogMel.kaldi(),
    "kaldi, dithered, hops": LogMel.kaldi(23, framing="hops", dither=1.0, seed=3, energy=True),
    "librosa in decibels": LogMel.librosa(40, 16_000, fft_samples=512, logarithm="db"),
    "librosa, reflected": LogMel.librosa(
        40, 16_000, fft_samples=640, hop_samples=700, padding="reflect", logarithm="natural"
    ),
    "mfcc": Mfcc.kaldi(),
    "mfcc of librosa": Mfcc.librosa(13, 40, 16_000, fft_samples=512, logarithm="db"),
    "micro front end": MicroFrontend(),
}


def pushed(stream, samples, sizes):
    rows, at, sizes = [], 0, list(sizes)
    while at < samples.size:
        size = sizes.pop(0) if sizes else samples.size
        rows.append(stream.push(samples[at : at + size]))
        at += size
    return np.concatenate([*rows, stream.flush()])


@pytest.mark.parametrize("name", FEATURES)
@settings(max_examples=25)
@given(
    count=st.integers(500, SPEECH.size),
    sizes=st.lists(st.sampled_from([0, 1, 2, 159, 160, 161, 400, 1600, 7000]), max_size=30),
)
def test_whatever_the_chunks_the_bits_are_those_of_the_whole(name, count, sizes):
    features, samples = FEATURES[name], SPEECH[:count]
    np.testing.assert_array_equal(pushed(features.stream(), samples, sizes), features(samples))


@pytest.mark.parametrize("name", FEATURES)
def test_sample_by_sample_is_the_whole_too(name):
    features, samples = FEATURES[name], SPEECH[:1_500]
    rows = pushed(features.stream(), samples, [1] * samples.size)
    np.testing.assert_array_equal(rows, features(samples))


def test_chunks_may_differ_in_dtype():
    stream, whole = LogMel.kaldi().stream(), LogMel.kaldi()(SPEECH)
    rows = [stream.push(SPEECH[:999]), stream.push(SPEECH[999:].astype(np.float32))]
    np.testing.assert_array_equal(np.concatenate(rows), whole)


def test_rows_that_were_given_stay_as_they_are():
    stream, rows = LogMel.kaldi().stream(), []
    for at in range(0, SPEECH.size, 160):
        rows.append(stream.push(SPEECH[at : at + 160]))
    copies = [row.copy() for row in rows]
    stream.push(SPEECH)
    np.testing.assert_array_equal(np.concatenate(rows), np.concatenate(copies))


def test_memory_of_rows_that_nobody_holds_is_used_again():
    stream, places = LogMel.kaldi().stream(), set()
    for _ in range(20):
        for at in range(0, SPEECH.size, 1_600):
            places.add(stream.push(SPEECH[at : at + 1_600]).ctypes.data)
    assert len(places) <= 64
    held = stream.push(SPEECH[:1_600])
    copy = held.copy()
    for _ in range(20):
        stream.push(SPEECH[:1_600])
    np.testing.assert_array_equal(held, copy)


def test_memory_of_a_large_chunk_is_not_kept():
    stream = LogMel.kaldi().stream()
    large = weakref.ref(stream.push(np.tile(SPEECH, 10)).base)
    for _ in range(20):
        stream.push(SPEECH[:1_600])
    assert large() is None


def test_out_receives_the_rows_and_is_what_comes_back():
    stream, out = LogMel.kaldi().stream(), np.full((20, 80), -1, np.float32)
    rows = stream.push(SPEECH[:1_600], out=out)
    assert rows.base is out
    np.testing.assert_array_equal(rows, LogMel.kaldi()(SPEECH[:1_600]))
    assert (out[len(rows) :] == -1).all()


def test_chunks_into_out_and_into_new_memory_take_turns():
    stream, out, rows = LogMel.kaldi().stream(), np.empty((20, 80), np.float32), []
    for turn, at in enumerate(range(0, SPEECH.size, 1_000)):
        given = stream.push(SPEECH[at : at + 1_000], out=out if turn % 2 else None)
        rows.append(given.copy())
    np.testing.assert_array_equal(np.concatenate(rows), LogMel.kaldi()(SPEECH))


@pytest.mark.parametrize(
    "samples",
    [SPEECH.repeat(3)[::3], SPEECH[::-1].copy()[::-1], np.ma.masked_array(SPEECH)],
    ids=["strided", "backwards", "a subclass"],
)
def test_samples_that_are_not_plain_and_contiguous_are_taken_too(samples):
    np.testing.assert_array_equal(LogMel.kaldi().stream().push(samples), LogMel.kaldi()(SPEECH))


def test_samples_that_cannot_be_written_to_are_taken():
    samples = SPEECH.copy()
    samples.flags.writeable = False
    np.testing.assert_array_equal(LogMel.kaldi().stream().push(samples), LogMel.kaldi()(SPEECH))


def test_without_room_the_chunk_is_not_taken():
    stream, whole = LogMel.kaldi().stream(), LogMel.kaldi()(SPEECH[:1_600])
    with pytest.raises(InputError, match="out: 3 rows are too few for what 1600 samples complete"):
        stream.push(SPEECH[:1_600], out=np.empty((3, 80), np.float32))
    np.testing.assert_array_equal(stream.push(SPEECH[:1_600]), whole)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((9, 79), np.float32),
        np.empty((9, 80)),
        np.empty((18, 80), np.float32)[::2],
        np.empty(720, np.float32),
        "rows",
    ],
)
def test_an_out_that_cannot_be_filled_is_refused(out):
    with pytest.raises(InputError, match=r"out: got .*expected a contiguous float32 array"):
        LogMel.kaldi().stream().push(SPEECH[:400], out=out)


def test_reset_and_flush_make_a_stream_new():
    stream, whole = LogMel.kaldi().stream(), LogMel.kaldi()(SPEECH)
    for again in (stream.reset, stream.flush):
        stream.push(SPEECH[:777])
        again()
        np.testing.assert_array_equal(stream.push(SPEECH), whole)
        stream.reset()


def test_memory_does_not_grow():
    stream = LogMel.kaldi().stream()
    before = stream.state_bytes
    for _ in range(5):
        stream.push(SPEECH)
    assert stream.state_bytes == before < 200_000


@pytest.mark.parametrize("features", [LogMel.whisper(), LogMel.librosa(), Mfcc.librosa()])
def test_levels_relative_to_the_loudest_cannot_be_streamed(features):
    with pytest.raises(UsageError, match="below the loudest of the whole input"):
        features.stream()


def test_samples_that_are_not_samples_are_refused():
    with pytest.raises(InputError, match="got float64"):
        LogMel.kaldi().stream().push(np.zeros(400))
    with pytest.raises(InputError, match=r"shape \(2, 400\)"):
        LogMel.kaldi().stream().push(np.zeros((2, 400), np.int16))
    with pytest.raises(InputError, match="got float32, expected int16"):
        MicroFrontend().stream().push(np.zeros(400, np.float32))


def test_a_second_thread_is_refused():
    stream, refused = LogMel.kaldi().stream(), []
    start = threading.Barrier(2)

    def push():
        start.wait()
        try:
            for _ in range(200):
                stream.push(SPEECH)
        except UsageError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=push) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread is in a call of it" in problem for problem in refused)
    stream.reset()
    np.testing.assert_array_equal(stream.push(SPEECH), LogMel.kaldi()(SPEECH))
