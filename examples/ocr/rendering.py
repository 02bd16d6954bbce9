"""A line of text as a camera might see it: printed, a little turned, blurred and noisy."""

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

MARGIN_PX = 8
INVERTED = 0.25
"""Share of the lines that are light on dark."""


def render(text: str, font: Path) -> NDArray[np.uint8]:
    """The same picture for the same text and font file.

    Returns:
        uint8 RGB, shape (height, width, 3); the height follows from the font, about 30 to 55.
    """
    rng = random.Random(f"{font.name}: {text}")
    paper, ink = rng.randint(170, 255), rng.randint(0, 80)
    if rng.random() < INVERTED:
        paper, ink = ink, paper
    image = draw(text, ImageFont.truetype(str(font), rng.randint(18, 36)), paper, ink)
    image = image.rotate(rng.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=(paper,) * 3)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.4)))
    noise = np.random.default_rng(rng.getrandbits(32))
    grain = noise.normal(0, rng.uniform(0, 24), (image.height, image.width, 3))
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)


def draw(text: str, font: ImageFont.FreeTypeFont, paper: int, ink: int) -> Image.Image:
    """The text in grey on grey, with a margin on every side."""
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    size = (right - left + 2 * MARGIN_PX, bottom - top + 2 * MARGIN_PX)
    image = Image.new("RGB", size, (paper,) * 3)
    origin = (MARGIN_PX - left, MARGIN_PX - top)
    ImageDraw.Draw(image).text(origin, text, font=font, fill=(ink,) * 3)
    return image
