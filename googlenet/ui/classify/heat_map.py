"""Which parts of a picture speak for a class and which against it, as colours to lay over the picture."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

FOR, AGAINST = (230, 159, 0), (0, 114, 178)  # orange and blue, told apart by colour-blind eyes too
DEEPEST = 0.8  # of the colour's opacity: the picture stays visible


def heat_map(values: Tensor) -> Image.Image:
    """float32 (H, W) as RGBA: orange above 0, blue below, the deeper the further from 0 in the map's own scale."""
    import numpy as np
    from PIL import Image

    found = values.numpy()
    share = np.abs(found) / max(float(np.abs(found).max()), 1e-9)
    colour = np.where((found > 0)[..., None], FOR, AGAINST)
    alpha = np.rint(255 * DEEPEST * share)[..., None]
    return Image.fromarray(np.concatenate([colour, alpha], -1).astype(np.uint8), "RGBA")


def data_uri(image: Image.Image) -> str:
    """`image` as a PNG inside an address, pixel for pixel."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
