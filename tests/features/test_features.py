import edgekit.features
from edgekit.features import ImageTensor, LogMel, RollingStats


def test_the_public_names_are_these():
    names = "Bins Ewma Features ImageTensor LogMel RollingStats RollingStream build"
    assert " ".join(sorted(edgekit.features.__all__)) == names


def test_build_picks_the_features_of_the_spec():
    for features in (LogMel.kaldi(), ImageTensor(height_px=8), RollingStats(8)):
        assert edgekit.features.build(features.spec) == features
        assert type(edgekit.features.build(features.spec)) is type(features)


def test_features_that_differ_are_not_equal():
    assert LogMel.kaldi() != LogMel.whisper()
    assert ImageTensor(height_px=8) != ImageTensor(height_px=9)
    assert len({LogMel.kaldi(), LogMel.kaldi(), LogMel.kaldi(40)}) == 2
