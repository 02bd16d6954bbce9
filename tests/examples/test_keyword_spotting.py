"""The keyword spotter with its voices (downloaded once, 10 MB): splits, score, and the stream."""

import importlib
import importlib.util
import json

import numpy as np
import pytest

import edgekit
from edgekit.bundle import write_bundle
from edgekit.engines import open_engine
from edgekit.manifest import Manifest
from edgekit.task import load_task


@pytest.fixture(scope="module")
def words(kws):
    espeak = importlib.import_module("espeak")
    try:
        espeak.Engine(espeak.fetch())
    except (espeak.FetchError, OSError) as error:
        pytest.skip(f"the voices of espeak-ng are not here: {error}")
    return importlib.import_module("words")


@pytest.fixture(scope="module")
def task(kws, words):
    return load_task(kws / "task.py")


@pytest.fixture(scope="module")
def demo(kws, words):
    spec = importlib.util.spec_from_file_location("kws_demo", kws / "demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bundle(kws, task, tmp_path_factory):
    """The model as it is in git, packed by hand: the search is `make demo-kws`."""
    content = (kws / "model.onnx").read_bytes()
    engine = open_engine("onnxruntime", content)
    manifest = Manifest(
        schema=1, name="kws", version="1.0", target="host", engine="onnxruntime", recipe="fp32",
        model="model.onnx", inputs=engine.inputs, outputs=engine.outputs, features=task.features,
        decoder=task.decoder, labels="labels.json",
    )  # fmt: skip
    engine.close()
    path = tmp_path_factory.mktemp("kws") / "kws-1.0.edgekit"
    files = {"model.onnx": content, "labels.json": json.dumps(task.labels).encode()}
    write_bundle(path, manifest, files)
    return path


def test_the_splits_share_no_voice(words):
    voices = [set(words.voices(split)) for split in ("training", "calibration", "evaluation")]
    assert sum(map(len, voices)) == len(set.union(*voices))
    assert [len(each) for each in voices] == [66, 13, 25]
    with pytest.raises(KeyError):
        words.voices("another")


def test_samples_are_the_same_every_time_and_of_every_label(task, words):
    first, second = (list(task.samples("calibration")) for _ in range(2))
    assert {label for _, label, _ in first} == set(range(len(words.LABELS)))
    assert {group for _, _, group in first} == set(words.VOICES["calibration"])
    for (sound, *_), (again, *_) in zip(first, second, strict=True):
        assert sound.dtype == np.int16
        assert sound.shape == (16_000,)
        np.testing.assert_array_equal(sound, again)


def test_the_model_knows_most_words_of_voices_it_has_not_heard(task, kws):
    engine = open_engine("onnxruntime", kws / "model.onnx")
    sounds, labels, _ = zip(*task.samples("evaluation"), strict=True)
    predictions = [task.predict(engine.run, sound) for sound in sounds]
    engine.close()
    assert task.score(predictions, list(labels)) > 0.9


def test_every_keyword_of_the_recording_is_heard_and_none_is_made_up(demo, bundle, capsys):
    samples, truth = demo.recording.mixed()
    with edgekit.load(bundle) as model:
        found = demo.listen(model, samples)
        assert demo.compare(truth, found) == (0, 0)
        assert demo.features_have_equal_bits(model.manifest.features[0].spec, samples)
    assert {each.word for each in found} == set(demo.KEYWORDS)
    assert "0 keywords missed, 0 made up" in capsys.readouterr().out


def test_the_stream_gives_the_answers_of_the_windows_cut_from_the_recording(demo, bundle):
    samples, _ = demo.recording.mixed()
    with edgekit.load(bundle) as model:
        stream = model.stream()
        streamed = [r for at in range(0, 48_000, 160) for r in stream.push(samples[at : at + 160])]
        for number, result in enumerate(streamed):
            window = samples[number * 1600 : number * 1600 + 15_920]
            np.testing.assert_array_equal(
                result.outputs["logits"], model.run(window).outputs["logits"]
            )
    assert len(streamed) == 21


def test_a_split_is_evaluated_by_the_rule_for_any_threshold(bundle, words):
    evaluate = importlib.import_module("evaluate")
    with edgekit.load(bundle) as model:
        every = [evaluate.streamed(model, "calibration", index) for index in range(2)]
    assert [len(one.truth) for one in every] == [16, 16]
    lenient, strict, never = (evaluate.outcome(every, limit) for limit in (0.3, 0.6, 1.1))
    assert lenient.keywords == strict.keywords == never.keywords == 16
    assert strict.heard >= 12
    assert lenient.heard + lenient.false_alarms >= strict.heard + strict.false_alarms
    assert (never.heard, never.false_alarms, never.delays_s) == (0, 0, [])
    assert all(-1 < delay <= evaluate.recording.LATE_S for delay in strict.delays_s)
    assert evaluate.told(never) == "   0 of 16 (0.0%)      0 (  0.0)"


def test_an_evaluation_without_a_bundle_says_what_makes_one(words, monkeypatch, capsys, tmp_path):
    evaluate = importlib.import_module("evaluate")
    monkeypatch.setattr("sys.argv", ["evaluate.py", "--bundle", str(tmp_path / "none.edgekit")])
    assert evaluate.main() == 2
    assert "no such bundle; run: make demo-kws" in capsys.readouterr().err


def test_a_recording_of_another_kind_is_refused(demo, tmp_path):
    path = tmp_path / "stereo.wav"
    with demo.wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(400))
    with pytest.raises(SystemExit, match="channels, bytes and rate"):
        demo.read_wav(path)
