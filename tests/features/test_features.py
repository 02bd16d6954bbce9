import edgekit.features
from edgekit.features import ImageTensor, LogMel, Mfcc, MicroFrontend, RollingStats

EVERY_KIND = (
    LogMel.kaldi(),
    Mfcc.librosa(),
    MicroFrontend(),
    ImageTensor(height_px=8),
    RollingStats(8),
)


def test_the_public_names_are_these():
    settings = {"Bins", "Camera", "Ewma", "Output", "Resize"}
    audio = {"FeatureStream", "LogMel", "Mfcc", "MicroFrontend"}
    others = {"Features", "ImageTensor", "RollingStats", "RollingStream", "build"}
    assert set(edgekit.features.__all__) == settings | audio | others


def test_build_picks_the_features_of_the_spec():
    for features in EVERY_KIND:
        assert edgekit.features.build(features.spec) == features
        assert type(edgekit.features.build(features.spec)) is type(features)


def test_features_that_differ_are_not_equal():
    assert LogMel.kaldi() != LogMel.whisper()
    assert ImageTensor(height_px=8) != ImageTensor(height_px=9)
    assert len({LogMel.kaldi(), LogMel.kaldi(), LogMel.kaldi(40)}) == 2
