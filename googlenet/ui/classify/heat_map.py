"""Which parts of a picture an answer rests on, drawn over the picture."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from googlenet.ui.common import figures

if TYPE_CHECKING:
    from PIL import Image

    from googlenet.inference.explain import Occlusion

FOR, AGAINST = (230, 159, 0), (0, 114, 178)  # orange and blue, told apart by colour-blind eyes too
FAINT = 0.05  # a change of the probability that deserves no deep colour
WIDTH = 256  # pixels of the drawing


def rests_on(occlusion: Occlusion) -> str:
    """In words what covering the weightiest square does."""
    left, top, right, bottom = occlusion.box
    label, after = occlusion.label, figures.percent(occlusion.covered, 1)
    if decisive(occlusion):
        before, square = figures.percent(occlusion.probability, 1), figures.shape((right - left, bottom - top))
        return f"Covering the outlined {square} pixels takes {label} from {before} to {after}."
    return f"No part decides alone: whichever square is covered, {label} keeps at least {after}."


def heat_map(occlusion: Occlusion, seen: Image.Image) -> Image.Image:
    """`seen` in grey, each pixel tinted by what covering it costs the answer; enlarged, a decisive square outlined.

    The deepest tint is the largest effect, but never less than `FAINT`: noise is not blown up.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    drops = occlusion.drops[..., None]
    tint = np.where(drops > 0, FOR, AGAINST)
    weight = 0.85 * np.abs(drops) / max(FAINT, np.abs(drops).max())
    grey = np.asarray(seen.convert("L"), np.float32)[..., None]
    pixels = np.rint(grey * (1 - weight) + tint * weight).astype(np.uint8)
    zoom = max(1, WIDTH // seen.width)
    picture = Image.fromarray(pixels).resize((zoom * seen.width, zoom * seen.height), Image.Resampling.NEAREST)
    if decisive(occlusion):
        left, top, right, bottom = (zoom * edge for edge in occlusion.box)
        draw = ImageDraw.Draw(picture)
        draw.rectangle((left, top, right - 1, bottom - 1), outline="black", width=3)
        draw.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline="white", width=1)
    return picture


def decisive(occlusion: Occlusion) -> bool:
    """Whether some one square makes a difference."""
    return occlusion.probability - occlusion.covered >= FAINT


def data_uri(image: Image.Image) -> str:
    """`image` as a PNG inside an address, pixel for pixel."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
