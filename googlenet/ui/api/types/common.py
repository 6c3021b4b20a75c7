"""How a field is described, and what several tabs take."""

from __future__ import annotations

from typing import Annotated, Any

import gradio as gr
from pydantic import Field


def says(text: str, **limits: Any) -> Any:
    """For `Annotated`: what a field or a parameter is, with its unit; `limits` (`ge=1`) are told, and checked below."""
    return Field(description=text, **limits)


Shape = Annotated[
    tuple[int, int, int], says("channels, height, width of one image's map; a vector is (features, 1, 1)")
]
Share = Annotated[float, says("a share from 0 to 1")]
Interval = Annotated[tuple[float, float], says("lower and upper end of the 95% interval, from 0 to 1")]

RunName = Annotated[
    str, says("a run's name, as list_runs has it: 1 to 64 lower-case letters, digits and hyphens, never a path")
]
CheckpointName = Annotated[
    str,
    says("a name that list_checkpoints has, such as googlenet-cifar10 or my-run/best; the first of them if left out"),
]
MovedData = Annotated[
    str,
    says(
        "where the images are now: cifar10, shapes or a folder with train/ and test/; "
        "those that the run learned from, or the lab's, if left out"
    ),
]
Picture = Annotated[
    gr.FileData,
    says("a picture of any size, such as PNG, JPEG, WebP or GIF: in Python gradio_client.handle_file(path or address)"),
]
ClassName = Annotated[str, says("one of the network's classes; the likeliest if left out")]
Against = Annotated[str, says("another class: what speaks for the first and not for this one; none if left out")]
