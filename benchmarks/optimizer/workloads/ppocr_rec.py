"""PP-OCRv6 small text recognition on lines rendered in many fonts, then degraded."""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from datafolder import data_folder, unpacked_deb, unpacked_wheel
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from protocol import CALIBRATION, Run, Sample, check_split, seeded

NAME = "ppocr_rec"
METRIC = "1 - character error rate (edits over all characters of all lines)"
LICENSE_NOTE = (
    "model: Apache-2.0 (rapidocr, weights by PaddleOCR); fonts: OFL, Apache-2.0, GPL with font "
    "exception and Bitstream Vera terms (Debian fonts-*); text: CPython docstrings, PSF-2.0"
)

LINES = {"calibration": slice(300, 364), "evaluation": slice(0, 300)}  # of ocr_lines.txt
FONT_PACKAGES = (
    "fonts-crosextra-caladea",
    "fonts-crosextra-carlito",
    "fonts-dejavu-core",
    "fonts-dejavu-extra",
    "fonts-freefont-ttf",
    "fonts-lato",
    "fonts-liberation",
    "fonts-roboto-unhinted",
)
CALIBRATION_EVERY = 6  # one font in six is for calibration
HEIGHT_PX, NARROWEST_PX = 48, 32
INPUT, OUTPUT = "x", "fetch_name_0"
BLANK = 0  # class of the CTC blank


def model(data: Path) -> Path:
    return unpacked_wheel(data, "rapidocr") / "rapidocr" / "models" / "PP-OCRv6_rec_small.onnx"


def samples(split: str) -> Iterator[Sample]:
    """(uint8 RGB image [height, width, 3], text, font file)."""
    check_split(split)
    lines = Path(__file__).with_name("ocr_lines.txt").read_text().splitlines()[LINES[split]]
    usable = fonts(split)
    for number, line in enumerate(lines):
        font = usable[number % len(usable)]
        yield render(line, font), line, font.name


def predict(run: Run, input: np.ndarray) -> str:
    """The text, by greedy CTC decoding."""
    height, width = input.shape[:2]
    width_px = max(NARROWEST_PX, round(width * HEIGHT_PX / height))
    resized = Image.fromarray(input).resize((width_px, HEIGHT_PX), Image.Resampling.BICUBIC)
    bgr = np.asarray(resized, np.float32)[:, :, ::-1]
    scaled = np.ascontiguousarray((bgr / 127.5 - 1).transpose(2, 0, 1)[None])
    best = run({INPUT: scaled})[OUTPUT][0].argmax(axis=1)
    is_new = np.concatenate([[True], best[1:] != best[:-1]]) & (best != BLANK)
    alphabet = characters()
    return "".join(alphabet[index] for index in best[is_new])


def score(predictions: list[str], labels: list[str]) -> float:
    edits = sum(edit_distance(p, y) for p, y in zip(predictions, labels, strict=True))
    return max(0.0, 1 - edits / sum(map(len, labels)))


def exact_match(predictions: list[str], labels: list[str]) -> float:
    """Share of lines read without an error."""
    return float(np.mean([p == y for p, y in zip(predictions, labels, strict=True)]))


@cache
def characters() -> tuple[str, ...]:
    """The text of each class, from the model's metadata."""
    metadata = onnx.load(model(data_folder())).metadata_props
    alphabet = next(entry.value for entry in metadata if entry.key == "character")
    return ("", *alphabet.split("\n"), " ")


def fonts(split: str) -> list[Path]:
    """Font files at even positions, in the order of their paths; a sixth for calibration."""
    found: dict[str, Path] = {}
    for package in FONT_PACKAGES:
        folder = unpacked_deb(data_folder(), package) / "usr/share/fonts/truetype"
        found |= {p.relative_to(folder).as_posix(): p for p in folder.rglob("*.ttf")}
    usable = [found[name] for name in sorted(found) if "math" not in name.lower()][::2]
    last = CALIBRATION_EVERY - 1
    return [
        font
        for index, font in enumerate(usable)
        if (index % CALIBRATION_EVERY == last) == (split == CALIBRATION)
    ]


def render(line: str, font: Path) -> np.ndarray:
    """Dark on light or light on dark, turned by up to 2 degrees, blurred, noisy."""
    rng, noise_rng = seeded(NAME, line, font.name)
    paper, ink = rng.randint(160, 255), rng.randint(0, 90)
    if rng.random() < 0.25:
        paper, ink = ink, paper
    typeface = ImageFont.truetype(str(font), rng.randint(20, 40))
    left, top, right, bottom = map(int, typeface.getbbox(line))
    image = Image.new("RGB", (right - left + 16, bottom - top + 14), (paper,) * 3)
    ImageDraw.Draw(image).text((8 - left, 7 - top), line, font=typeface, fill=(ink,) * 3)
    image = turn_and_blur(image, paper, rng)
    noise = noise_rng.normal(0, rng.uniform(0, 16), (image.height, image.width, 3))
    return (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)


def turn_and_blur(image: Image.Image, paper: int, rng: random.Random) -> Image.Image:
    angle_deg = rng.uniform(-2, 2)
    turned = image.rotate(angle_deg, Image.Resampling.BICUBIC, fillcolor=(paper,) * 3)
    return turned.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))


def edit_distance(read: str, truth: str) -> int:
    """Insertions, deletions and substitutions between two strings."""
    row = list(range(len(truth) + 1))
    for i, read_character in enumerate(read, 1):
        diagonal, row[0] = row[0], i
        for j, true_character in enumerate(truth, 1):
            substituted = diagonal + (read_character != true_character)
            diagonal = row[j]
            row[j] = min(row[j] + 1, row[j - 1] + 1, substituted)
    return row[-1]
