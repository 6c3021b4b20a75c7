"""Pictures inside addresses, so that the page asks for no file."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def jpeg_uri(content: bytes) -> str:
    """A JPEG file inside an address; "" where there is none."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}" if content else ""


def data_uri(image: Image.Image) -> str:
    """`image` as a PNG inside an address, pixel for pixel."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
