"""A loaded bundle with state between chunks."""

import msgspec
import numpy as np
import pytest
from featurebundle import BINS, CLASSES, FRAMES, audio, integer_model

import edgekit
from edgekit.bundle import write_bundle
from edgekit.errors import BundleError, InputError, UsageError
from edgekit.features import LogMel
from edgekit.manifest import Feature, LogMelSpec, Manifest, StreamSpec, Tensor

SPEC = LogMelSpec("kaldi", num_mel_bins=BINS)


def write(path, stream, shape=(1, FRAMES, BINS)):
    feature = Feature("features", SPEC, 1, stream) if stream else Feature("features", SPEC)
    manifest = Manifest(
        schema=1, name="features", version="1.0", target="host", engine="onnxruntime",
        recipe="fp32", model="model.onnx", inputs=(Tensor("features", "float32", shape),),
        outputs=(Tensor("scores", "int32", (1, CLASSES)),), features=(feature,),
    )  # fmt: skip
    write_bundle(path, manifest, {"model.onnx": integer_model().SerializeToString()})
    return path


def long_audio():
    return np.concatenate([audio(seed) for seed in range(4)])


def windows(hop):
    """What a stream must see: the frames of the whole signal, window by window."""
    rows = LogMel(SPEC)(long_audio())
    return [rows[at : at + FRAMES] for at in range(0, len(rows) - FRAMES + 1, hop)]


@pytest.mark.parametrize("hop_frames", [1, 7, FRAMES, 61])
@pytest.mark.parametrize("chunk", [160, 1_601, 100_000])
def test_results_are_those_of_the_windows_of_the_whole_signal(tmp_path, hop_frames, chunk):
    path, samples = write(tmp_path / "s.edgekit", StreamSpec(FRAMES, hop_frames)), long_audio()
    with edgekit.load(path) as model:
        stream, found = model.stream(), []
        for at in range(0, samples.size, chunk):
            found += stream.push(samples[at : at + chunk])
        found += stream.flush()
        expected = [model.infer({"features": rows[None]}) for rows in windows(hop_frames)]
    assert len(found) == len(expected) > 1
    for result, outputs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(result.outputs["scores"], outputs["scores"])
        assert result.model_ms > 0
        assert result.features_ms >= 0


def test_reset_and_flush_forget_what_came(tmp_path):
    path = write(tmp_path / "s.edgekit", StreamSpec(FRAMES, 4))
    with edgekit.load(path) as model:
        stream = model.stream()
        expected = stream.push(audio())
        assert len(expected) == 1
        for again in (stream.reset, stream.flush):
            again()
            assert stream.push(np.zeros(0, np.int16)) == []
            for result, before in zip(stream.push(audio()), expected, strict=True):
                np.testing.assert_array_equal(result.outputs["scores"], before.outputs["scores"])


def test_a_bundle_without_a_stream_says_so(tmp_path):
    with (
        edgekit.load(write(tmp_path / "s.edgekit", None)) as model,
        pytest.raises(UsageError, match="its manifest declares no stream, 1 input; pack it"),
    ):
        model.stream()


def test_windows_that_the_model_does_not_take_are_refused(tmp_path):
    with (
        edgekit.load(write(tmp_path / "s.edgekit", StreamSpec(FRAMES - 1, 4))) as model,
        pytest.raises(BundleError, match=r"windows have the shape \[1, 47, 40\], input 'features'"),
    ):
        model.stream()


def test_samples_that_are_not_samples_are_refused_and_the_stream_goes_on(tmp_path):
    with edgekit.load(write(tmp_path / "s.edgekit", StreamSpec(FRAMES, 4))) as model:
        stream = model.stream()
        with pytest.raises(InputError, match="got float64"):
            stream.push(np.zeros(400))
        assert len(stream.push(audio())) == 1


@pytest.mark.parametrize("stream", [b"{}", b'{"frames":0,"hop_frames":1}', b'{"frames":9,"x":1}'])
def test_a_malformed_stream_in_a_manifest_is_refused(stream):
    feature = b'{"input":"x","spec":{"type":"log_mel","preset":"kaldi"},"stream":%s}' % stream
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(feature, type=Feature)


def test_a_manifest_without_a_stream_is_written_as_before():
    assert b"stream" not in msgspec.json.encode(Feature("x", SPEC))
