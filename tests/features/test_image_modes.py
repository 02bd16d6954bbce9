import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import InputError
from edgekit.features import Camera, ImageTensor, Output, Resize, build

MODES = ("bilinear", "nearest", "antialias", "area")
SIZES = ((480, 640), (97, 61), (24, 32))
LEVEL = 1 / 255


def photo(height, width, seed=0):
    """Colours that vary as in photos, power falling with frequency, and a few hard edges."""
    rng = np.random.default_rng(seed)
    across, down = np.fft.rfftfreq(width), np.fft.fftfreq(height)
    far = np.sqrt(across**2 + down[:, None] ** 2) + 1 / max(height, width)
    planes = []
    for _ in range(3):
        waves = rng.normal(size=far.shape) + 1j * rng.normal(size=far.shape)
        planes.append(np.fft.irfft2(waves / far, (height, width)))
    picture = np.stack(planes, -1)
    picture = 128 + 50 * (picture - picture.mean()) / picture.std()
    picture[height // 3 : height // 2, width // 4 : width // 2] = (250, 4, 120)
    return np.clip(picture, 0, 255).astype(np.uint8)


def tensor(height, width, mode="bilinear", **settings):
    return ImageTensor(height_px=height, width_px=width, resize=Resize(mode), **settings)


def chw(image):
    return image.transpose(2, 0, 1) / 255


def shares(source, target):
    """What torchvision and Pillow weigh each source pixel with, as a matrix."""
    scale = source / target
    width = max(scale, 1)
    centre = (np.arange(target) + 0.5)[:, None] * scale
    heights = np.maximum(1 - np.abs(np.arange(source) + 0.5 - centre) / width, 0)
    return heights / heights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("target", [(224, 224), (20, 31), (600, 700)])
def test_antialias_is_the_formula_of_torchvision_on_floats(size, target):
    image = photo(*size)
    down, across = shares(size[0], target[0]), shares(size[1], target[1])
    expected = np.einsum("yv,xu,vuc->cyx", down, across, image / 255, optimize=True)
    found = tensor(*target, "antialias")(image)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("target", [(224, 224), (20, 31)])
def test_antialias_is_one_level_of_rounding_from_pillow(size, target):
    pillow = pytest.importorskip("PIL.Image")
    image = photo(*size)
    resized = pillow.fromarray(image).resize(target[::-1], pillow.Resampling.BILINEAR)
    found = tensor(*target, "antialias")(image)
    # Pillow rounds to 8 bits after each axis, half a level each.
    np.testing.assert_allclose(found, chw(np.asarray(resized)), rtol=0, atol=1.01 * LEVEL)
    assert np.abs(found - chw(np.asarray(resized))).mean() < 0.36 * LEVEL


@given(st.integers(1, 200), st.integers(1, 200))
def test_nearest_takes_the_pixels_that_pillow_and_opencv_take(source, target):
    pillow = pytest.importorskip("PIL.Image")
    image = np.repeat(np.arange(source, dtype=np.uint8)[:, None, None], 3, axis=2)
    image = np.repeat(image, 5, axis=1)
    resized = np.asarray(pillow.fromarray(image).resize((4, target), pillow.Resampling.NEAREST))
    found = tensor(target, 4, "nearest", output=Output("uint8", "hwc", LEVEL))(image)
    np.testing.assert_array_equal(found, resized)
    cv2 = pytest.importorskip("cv2")
    resized = cv2.resize(image, (4, target), interpolation=cv2.INTER_NEAREST_EXACT)
    np.testing.assert_array_equal(found, resized)


def test_area_is_that_of_opencv_where_the_picture_shrinks():
    cv2 = pytest.importorskip("cv2")
    image = photo(480, 640)
    for target in ((224, 224), (240, 320), (100, 77)):
        resized = cv2.resize(image.astype(np.float32), target[::-1], interpolation=cv2.INTER_AREA)
        found = tensor(*target, "area")(image)
        np.testing.assert_allclose(found, chw(resized), rtol=0, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_a_flat_picture_stays_flat(mode):
    found = tensor(23, 29, mode)(np.full((50, 41, 3), 200, np.uint8))
    np.testing.assert_allclose(found, 200 / 255, rtol=1e-6)


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("mode", MODES)
def test_types_and_axes_hold_the_float32_planes(mode):
    image = photo(97, 61)
    planes = tensor(40, 50, mode, mean=MEAN, std=STD)(image)

    def of(*output):
        return tensor(40, 50, mode, mean=MEAN, std=STD, output=Output(*output))(image)

    np.testing.assert_array_equal(of("float32", "hwc"), planes.transpose(1, 2, 0))
    np.testing.assert_array_equal(of("float16"), planes.astype(np.float16))
    np.testing.assert_array_equal(of("float16", "hwc"), of("float16").transpose(1, 2, 0))
    # ONNX's QuantizeLinear, in float32 as there.
    steps = np.rint(planes / np.float32(0.0187))
    np.testing.assert_array_equal(of("int8", "chw", 0.0187, -14), np.clip(steps - 14, -128, 127))
    np.testing.assert_array_equal(of("uint8", "chw", 0.0187, 114), np.clip(steps + 114, 0, 255))


def test_half_floats_are_rounded_as_numpy_rounds_them():
    values = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for std in (2e-6, 1e-3, 0.3, 1e3, 1e4, 1e5, 9e5):
        settings = {"mean": (0.3, 0.5, 0.7), "std": (std, std * 1.1, std * 0.9)}
        wide = tensor(64, 64, **settings)(values)
        with np.errstate(over="ignore"):
            expected = wide.astype(np.float16)
        np.testing.assert_array_equal(
            tensor(64, 64, **settings, output=Output("float16"))(values), expected
        )


@pytest.mark.parametrize("source", ["rgb", "bgr", "gray"])
@pytest.mark.parametrize("channels", ["rgb", "bgr", "gray"])
@pytest.mark.parametrize("mode", ["bilinear", "antialias"])
def test_channels_come_in_the_order_that_is_asked_for(source, channels, mode):
    rgb = photo(60, 80)
    given_as = {"rgb": rgb, "bgr": rgb[..., ::-1], "gray": rgb[..., 1]}[source]
    seen = np.repeat(rgb[..., 1:2], 3, axis=2) if source == "gray" else rgb
    planes = tensor(30, 40, mode)(seen)
    gray = np.tensordot((0.299, 0.587, 0.114), planes, 1)[np.newaxis]
    expected = {"rgb": planes, "bgr": planes[::-1], "gray": gray}[channels]
    found = tensor(30, 40, mode, source=source, channels=channels)(given_as)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_letterbox_keeps_the_whole_picture_and_fills_the_rest():
    image = photo(100, 200)
    resize = Resize("bilinear", "letterbox", 114)
    found = ImageTensor(height_px=64, width_px=64, resize=resize, mean=MEAN, std=STD)(image)
    inner = tensor(32, 64, mean=MEAN, std=STD)(image)
    np.testing.assert_array_equal(found[:, 16:48], inner)
    fill = (114 / 255 - np.array(MEAN)) / STD
    around = np.broadcast_to(fill[:, None, None], (3, 16, 64))
    np.testing.assert_allclose(found[:, :16], around, rtol=1e-6)
    np.testing.assert_allclose(found[:, 48:], around, rtol=1e-6)
    tall = ImageTensor(height_px=64, width_px=64, resize=resize)(image.transpose(1, 0, 2))
    np.testing.assert_array_equal(tall[..., 16:48], tensor(64, 32)(image.transpose(1, 0, 2)))


@pytest.mark.parametrize("mode", MODES)
def test_a_crop_is_the_centre_of_the_resized_picture(mode):
    image = photo(120, 200)
    resize = Resize(mode, "crop", short_px=72)
    found = ImageTensor(height_px=64, width_px=60, resize=resize)(image)
    whole = tensor(72, 120, mode)(image)
    np.testing.assert_array_equal(found, whole[:, 4:68, 30:90])
    covering = ImageTensor(height_px=60, width_px=60, resize=Resize(mode, "crop"))(image)
    np.testing.assert_array_equal(covering, tensor(60, 100, mode)(image)[..., 20:80])


def camera_frame(height=48, width=64):
    cv2 = pytest.importorskip("cv2")
    frame = cv2.cvtColor(photo(height, width), cv2.COLOR_RGB2YUV_I420)
    pairs = frame[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    nv12 = np.concatenate([frame[:height], pairs.reshape(height // 2, width)])
    return cv2, frame, nv12


def test_camera_frames_are_those_of_opencv_within_a_level():
    cv2, i420, nv12 = camera_frame()
    wanted = {
        "i420": (i420, cv2.COLOR_YUV2RGB_I420),
        "nv12": (nv12, cv2.COLOR_YUV2RGB_NV12),
        "nv21": (nv12, cv2.COLOR_YUV2RGB_NV21),
    }
    for planes, (frame, code) in wanted.items():
        found = tensor(48, 64, source=Camera(planes))(frame)
        np.testing.assert_allclose(found, chw(cv2.cvtColor(frame, code)), rtol=0, atol=1.01 * LEVEL)


@pytest.mark.parametrize("mode", MODES)
def test_planes_give_what_one_array_gives(mode):
    _, i420, nv12 = camera_frame()
    make = tensor(30, 20, mode, source=Camera("nv12", "bt709", full_range=True))
    expected = make(nv12)
    padded = np.zeros((72, 80), np.uint8)
    padded[:, :64] = nv12
    luma, chroma = padded[:48, :64], padded[48:, :64].reshape(24, 32, 2)
    np.testing.assert_array_equal(make((luma, chroma)), expected)
    three = tensor(30, 20, mode, source=Camera("i420", "bt709", full_range=True))
    np.testing.assert_array_equal(three(i420), expected)
    u, v = i420[48:].reshape(2, 24, 32)
    np.testing.assert_array_equal(three((i420[:48], u, v)), expected)


LUMA_ENDS = {False: ((16, 0), (235, 255)), True: ((0, 0), (255, 255))}


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_black_white_and_red_are_where_the_standards_put_them(matrix, full_range):
    make = tensor(2, 2, source=Camera("nv12", matrix, full_range), std=(LEVEL,) * 3)
    neutral = np.full((1, 1, 2), 128, np.uint8)
    for luma, level in LUMA_ENDS[full_range]:
        found = make((np.full((2, 2), luma, np.uint8), neutral))
        np.testing.assert_allclose(found, level, atol=1e-4)
    red, blue = (0.299, 0.114) if matrix == "bt601" else (0.2126, 0.0722)
    y, u, v = red, -red / (2 * (1 - blue)), 0.5
    scale, chroma, black = (255, 255, 0) if full_range else (219, 224, 16)
    planes = np.rint([black + scale * y, 128 + chroma * u, min(128 + chroma * v, 255)])
    luma, pair = np.full((2, 2), planes[0], np.uint8), np.full((1, 1, 2), planes[1:], np.uint8)
    np.testing.assert_allclose(make((luma, pair))[:, 0, 0], (255, 0, 0), atol=2.5)


def test_results_go_where_the_caller_says():
    make, image = tensor(8, 9, output=Output("int8", "hwc", 0.01)), photo(20, 30)
    out = np.empty((8, 9, 3), np.int8)
    assert make(image, out=out) is out
    np.testing.assert_array_equal(out, make(image))
    with pytest.raises(InputError, match=r"got int8 with shape \(9, 9, 3\), expected int8 \(8,"):
        make(image, out=np.empty((9, 9, 3), np.int8))


def test_the_spec_builds_the_same_features_and_survives_pickling():
    make = ImageTensor(
        height_px=8,
        width_px=9,
        channels="gray",
        resize=Resize("area", "letterbox", 7),
        source=Camera("nv21"),
        output=Output("uint8", "hwc", 0.1, 9),
    )
    for other in (build(make.spec), pickle.loads(pickle.dumps(make))):
        assert other == make


@pytest.mark.parametrize(
    ("source", "image", "problem"),
    [
        ("gray", np.zeros((4, 4, 3), np.uint8), "give one level per pixel"),
        (Camera(), np.zeros((5, 4), np.uint8), "height and width must be even"),
        (Camera(), np.zeros((6, 4), np.int8), "got int8 with shape"),
        (Camera(), (np.zeros((4, 4), np.uint8),), "got 1 planes for nv12, expected y, uv"),
        (Camera(), (np.zeros((4, 4), np.uint8),) * 2, r"uint8 chroma with shape \(2, 2, 2"),
        (Camera("i420"), np.zeros((6, 8), np.uint8)[:, :4], "give the planes as a tuple"),
    ],
)  # fmt: skip
def test_pictures_that_are_not_what_the_source_says_are_refused(source, image, problem):
    with pytest.raises(InputError, match=problem):
        tensor(4, 4, source=source)(image)


def test_a_crop_that_the_picture_cannot_fill_is_refused():
    make = ImageTensor(height_px=64, width_px=64, resize=Resize(fit="crop", short_px=50))
    with pytest.raises(InputError, match="200 x 50 before the crop, expected from the result's 64"):
        make(photo(100, 400))
