"""Images beside OpenCV's chains, and cykooz-resizer with OpenCV behind it."""

from functools import partial
from types import ModuleType

import cv2
import cykooz_resizer as cykooz
import numpy as np
from audio_rows import nearness
from comparison import Job, Row

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALE = np.float32(1 / 255 / np.array(STD))
OFFSET = np.float32(-np.array(MEAN) / np.array(STD))
SIDE = 224
SIZES = {"480p": (480, 640), "1080p": (1080, 1920)}
cv2.setNumThreads(1)


def picture(size: tuple[int, int]) -> np.ndarray:
    """Smooth shapes with some grain, as photos have."""
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (size[0] // 40, size[1] // 40, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = random.normal(0, 3, smooth.shape)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def planes_of(small: np.ndarray) -> np.ndarray:
    """Normalized planes, each written by one pass of OpenCV."""
    out = np.empty((3, SIDE, SIDE), np.float32)
    for c, plane in enumerate(cv2.split(small)):
        cv2.addWeighted(plane, float(SCALE[c]), plane, 0.0, float(OFFSET[c]), out[c], cv2.CV_32F)
    return out


def blob_of(small: np.ndarray) -> np.ndarray:
    """OpenCV's own way to a tensor, then the deviations."""
    blob = cv2.dnn.blobFromImage(small, 1 / 255, mean=tuple(255 * m for m in MEAN))[0]
    blob /= np.float32(STD)[:, None, None]
    return blob


def numpy_of(small: np.ndarray) -> np.ndarray:
    """Scaled as it is, then transposed by NumPy."""
    return np.ascontiguousarray((small * SCALE + OFFSET).transpose(2, 0, 1))


def shrunk(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def bilinear(name: str) -> Row:
    image = picture(SIZES[name])

    def make(features: ModuleType) -> Job:
        tensor = features.ImageTensor(height_px=SIDE, width_px=SIDE, mean=MEAN, std=STD)
        return partial(tensor, image)

    chains = {"split, addWeighted": planes_of, "blobFromImage": blob_of, "numpy": numpy_of}
    others = {way: lambda f=chain: f(shrunk(image)) for way, chain in chains.items()}
    for way in others.values():
        nearness(way(), planes_of(shrunk(image)), 1e-5)
    # OpenCV rounds to whole levels in between: half a level and its rounding, about 0.019 each
    return Row(
        f"bilinear → float CHW, {name} → 224²", "best OpenCV chain", "image", 1,
        {"avx512": 2.5, "avx2": 1.8}, make, others,
        lambda features: nearness(make(features)(), planes_of(shrunk(image)), 0.02),
    )  # fmt: skip


def antialiased(name: str) -> Row:
    image = picture(SIZES[name])
    resizer = cykooz.Resizer()
    options = cykooz.ResizeOptions(
        resize_alg=cykooz.ResizeAlg.convolution(cykooz.FilterType.bilinear)
    )
    height, width = image.shape[:2]
    # it copies what it is given: that stays out of its time
    given = cykooz.ImageData(width, height, cykooz.PixelType.U8x3, image.tobytes())

    def make(features: ModuleType) -> Job:
        resize, side = features.Resize(mode="antialias"), {"height_px": SIDE, "width_px": SIDE}
        return partial(features.ImageTensor(**side, mean=MEAN, std=STD, resize=resize), image)

    def theirs() -> np.ndarray:
        result = cykooz.ImageData(SIDE, SIDE, cykooz.PixelType.U8x3)
        resizer.resize(given, result, options)
        return planes_of(np.frombuffer(result.get_buffer(), np.uint8).reshape(SIDE, SIDE, 3))

    return Row(
        f"antialiased → float CHW, {name} → 224²", "cykooz-resizer, OpenCV", "image", 1,
        {"avx512": 1.2, "avx2": 1.0}, make, {"convolution": theirs},
        lambda features: nearness(make(features)(), theirs(), 0.02, 0.999),
    )  # fmt: skip


def rows() -> list[Row]:
    return [make(name) for make in (bilinear, antialiased) for name in ("1080p", "480p")]
