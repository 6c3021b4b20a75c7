"""A number of channels to set: typed exactly, or slid over octaves, so that 16 and 4,096 are one drag apart.

The slider's stops are every number to 64 and 32 in each octave above: 66, 68, … 128, 132, … 256, … 4,096. Module
widths of the paper are all among them. The number is what counts; the slider follows it to the nearest stop, in the
browser (static/module.js), which asks the server nothing for it.
"""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

SINGLE, PER_OCTAVE, OCTAVES = 64, 32, 6
LAST_STOP = SINGLE - 1 + PER_OCTAVE * OCTAVES


def number_of_stop(stop: int) -> int:
    """The channels at a stop of the slider."""
    if stop < SINGLE:
        return stop + 1
    octave, place = divmod(stop - SINGLE, PER_OCTAVE)
    return 2**octave * (SINGLE + 2 * (place + 1))


def stop_of_number(number: int) -> int:
    """The stop nearest to a number of channels."""
    if number <= SINGLE:
        return number - 1
    octave = math.floor(math.log2(number / SINGLE))
    return SINGLE - 1 + PER_OCTAVE * octave + math.floor((number / 2**octave - SINGLE) / 2 + 0.5)


def channels(value: int, label: str, elem_id: str) -> gr.Number:
    """Lay out the number box and its slider, tied to each other; the number is the control."""
    number = gr.Number(value, label=label, elem_id=elem_id, elem_classes="gl-exact", min_width=80)
    slider = gr.Slider(0, LAST_STOP, stop_of_number(value), step=1, label=label, buttons=[],
                       elem_id=f"{elem_id}-slider", elem_classes="gl-octaves")  # fmt: skip
    tie: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    slider.input(None, slider, number, js="googlenet.channelsOfStop", **tie)
    number.change(None, number, slider, js=f"googlenet.followChannels('{elem_id}')", **tie)
    return number
