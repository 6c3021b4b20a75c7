"""An explanation's map as colours, and laid over what the network saw."""

from __future__ import annotations

import numpy as np
from PIL import Image
from torch import Tensor

from googlenet.inference.explain.explanation import Explanation

FOR, AGAINST = (230, 159, 0), (0, 114, 178)  # orange and blue, told apart by colour-blind eyes too
DEEPEST = 0.8  # of the colour's opacity: the picture stays visible
WIDTH = 448  # pixels of a picture that is saved


def heat_map(values: Tensor) -> Image.Image:
    """float32 (H, W) as RGBA: orange above 0, blue below, the deeper the further from 0 in the map's own scale."""
    found = values.numpy()
    share = np.abs(found) / max(float(np.abs(found).max()), 1e-9)
    colour = np.where((found > 0)[..., None], FOR, AGAINST)
    alpha = np.rint(255 * DEEPEST * share)[..., None]
    return Image.fromarray(np.concatenate([colour, alpha], -1).astype(np.uint8), "RGBA")


def over_picture(found: Explanation) -> Image.Image:
    """What the network saw in grey, enlarged, under the map's colours."""
    zoom = max(1, WIDTH // found.seen.width)
    size = (zoom * found.seen.width, zoom * found.seen.height)
    grey = found.seen.convert("L").convert("RGBA").resize(size, Image.Resampling.NEAREST)
    return Image.alpha_composite(grey, heat_map(found.values).resize(size, Image.Resampling.BILINEAR)).convert("RGB")
