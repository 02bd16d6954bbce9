import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from features import reference
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import InputError, UsageError
from edgekit.features import ImageTensor, Output, Resize, build
from edgekit.kernels.image import PLANS_KEPT

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
sides = st.integers(1, 70)
WEIGHT_ERROR = 2**-15
"""Columns are weighed in whole 1 / 2^14: half of one, of a difference of at most 1."""


def noise(height, width, channels=3, seed=0):
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def normalized(image, height, width, mean=(0, 0, 0), std=(1, 1, 1)):
    resized = reference.bilinear(image, height, width) / 255
    return ((resized - mean) / std).transpose(2, 0, 1)


def test_a_large_photo_size_is_weight_rounding_away_from_the_reference():
    image = noise(1080, 1920)
    found = ImageTensor(height_px=224, width_px=224)(image)
    np.testing.assert_allclose(found, normalized(image, 224, 224), rtol=0, atol=WEIGHT_ERROR + 1e-6)


def test_features_are_those_of_opencv_on_float_images():
    cv2 = pytest.importorskip("cv2")
    image = noise(480, 640)
    for height, width in ((224, 224), (700, 901), (48, 320)):
        expected = cv2.resize(image.astype(np.float32), (width, height)).transpose(2, 0, 1) / 255
        found = ImageTensor(height_px=height, width_px=width)(image)
        # OpenCV 4 keeps positions in float32, 6e-5 of a pixel at 901; OpenCV 5 differs by 3e-7.
        np.testing.assert_allclose(found, expected, rtol=0, atol=6e-5)


def test_the_same_size_is_not_resampled():
    image = noise(31, 17)
    found = ImageTensor(height_px=31, width_px=17)(image)
    np.testing.assert_allclose(found * np.float32(255), image.transpose(2, 0, 1), rtol=1e-6)


@given(st.integers(0, 255), sides, sides)
def test_a_flat_image_stays_flat_to_the_bit(value, height, width):
    image = np.full((height, width, 3), value, np.uint8)
    found = ImageTensor(height_px=23, width_px=29, std=(0.5, 0.5, 0.5))(image)
    assert np.unique(found).size == 1


def test_bgr_swaps_the_planes_and_normalizes_them_in_their_new_order():
    image = noise(20, 30)
    rgb = ImageTensor(height_px=9, width_px=11, mean=MEAN[::-1], std=STD[::-1])(image)
    bgr = ImageTensor(height_px=9, width_px=11, channels="bgr", mean=MEAN, std=STD)(image)
    np.testing.assert_array_equal(bgr, rgb[::-1])


VIEWS = {
    "a crop": lambda image: image[3:-4, 5:-6, :3],
    "upside down": lambda image: image[::-1, :, :3],
    "mirrored": lambda image: image[:, ::-1, :3],
    "channels reversed": lambda image: image[..., 2::-1],
    "every third row and second column": lambda image: image[::3, ::2, :3],
    "transposed": lambda image: image[..., :3].transpose(1, 0, 2),
    "planes": lambda image: np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0)[
        ..., 1:
    ],
    "one row for all": lambda image: np.broadcast_to(image[:1, :, :3], image[..., :3].shape),
    "one pixel for all": lambda image: np.broadcast_to(image[:1, :1, :1], image[..., :3].shape),
}


@pytest.mark.parametrize("mode", ["bilinear", "antialias"])
def test_pictures_that_come_in_turns_and_on_threads_are_those_that_come_alone(mode):
    pictures = [view(noise(40, 50, channels=4)) for view in VIEWS.values()]
    pictures += [noise(40, width) for width in (7, 50, 51)]
    assert len({(picture.shape, picture.strides) for picture in pictures}) > PLANS_KEPT

    def make():
        return ImageTensor(height_px=24, width_px=32, resize=Resize(mode=mode))

    expected = [make()(picture.copy()) for picture in pictures]
    tensor = make()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tensor, pictures * 20))
    for index, one in enumerate(found):
        np.testing.assert_array_equal(one, expected[index % len(pictures)])


def test_lists_of_mean_and_std_are_as_good_as_tuples():
    assert ImageTensor(height_px=4, mean=list(MEAN), std=list(STD)) == ImageTensor(
        height_px=4, mean=MEAN, std=STD
    )


def test_images_that_cannot_be_written_to_are_read():
    image = noise(8, 8)
    image.flags.writeable = False
    assert ImageTensor(height_px=4, width_px=4)(image).shape == (3, 4, 4)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (48, 320, 320),
        (24, 100, 200),
        (96, 101, 51),
        (96, 99, 50),
        (1, 1, 48),
        (200, 10, 16),
        (10, 900, 640),
    ],
)
def test_a_free_width_keeps_the_aspect_ratio_within_its_limits(height, width, expected):
    tensor = ImageTensor(height_px=48, min_width_px=16, max_width_px=640)
    assert tensor(noise(height, width)).shape == (3, 48, expected)


def test_the_spec_builds_the_same_features_and_survives_pickling():
    tensor, image = (
        ImageTensor(height_px=7, max_width_px=90, channels="bgr", mean=MEAN),
        noise(9, 30),
    )
    for other in (build(tensor.spec), pickle.loads(pickle.dumps(tensor))):
        assert other == tensor
        np.testing.assert_array_equal(other(image), tensor(image))


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("photo.png", "got str, expected a uint8 NumPy array"),
        (np.zeros((4, 4, 3), np.float32), r"got float32 with shape \(4, 4, 3\)"),
        (np.zeros((4, 4), np.uint8), r"got uint8 with shape \(4, 4\).*for gray set source"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\).*drop an alpha channel"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\).*sides of 1 to 32768"),
        (np.broadcast_to(np.zeros(3, np.uint8), (32_769, 4, 3)), "sides of 1 to 32768"),
    ],
)
def test_images_that_are_not_images_are_refused_by_name(image, problem):
    with pytest.raises(InputError, match=problem):
        ImageTensor(height_px=4)(image)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"height_px": 0}, "height_px=0; use 1 to 32768"),
        ({"height_px": 4, "width_px": 40_000}, "width_px=40000; use 1 to 32768"),
        ({"height_px": 4, "min_width_px": 9, "max_width_px": 8}, "min_width_px=9 above"),
        ({"height_px": 4, "channels": "xyz"}, "channels='xyz'; use 'rgb', 'bgr' or 'gray'"),
        ({"height_px": 4, "resize": Resize("cubic")}, "use mode 'bilinear', 'nearest'"),
        ({"height_px": 4, "resize": Resize(fit="crop")}, "fit='crop' without width_px"),
        (
            {"height_px": 4, "resize": Resize(short_px=9)},
            "give short_px, 1 or more, with fit='crop'",
        ),
        ({"height_px": 4, "source": "yuv"}, "use 'rgb', 'bgr', 'gray' or a Camera"),
        ({"height_px": 4, "output": Output("int4")}, "use dtype 'float32', 'float16'"),
        ({"height_px": 4, "output": Output("int8", scale=0.0)}, "use a scale above 0"),
        ({"height_px": 4, "output": Output("uint8", zero_point=-1)}, "zero_point of 0 to 255"),
        ({"height_px": 4, "output": Output(layout="nchw")}, "use layout 'chw' or 'hwc'"),
        ({"height_px": 4, "mean": (0.5,)}, "one number per plane"),
        ({"height_px": 4, "std": (1.0, 0.0, 1.0)}, "std above 0"),
        ({"height_px": 4, "mean": (0.0, float("nan"), 0.0)}, "finite numbers"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(settings, problem):
    with pytest.raises(UsageError, match=problem):
        ImageTensor(**settings)
