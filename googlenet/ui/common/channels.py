"""A number of channels to set: typed exactly, or slid over octaves, so that 16 and 4,096 are one drag apart.

The slider's stops are every number to 64 and 32 in each octave above: 66, 68, … 128, 132, … 256, … 4,096. Module
widths of the paper are all among them. The number is what counts; the slider follows it to the nearest stop, in the
browser (static/build/module.js), which asks the server nothing for it.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

STOPS = (*range(1, 65), *(2**octave * number for octave in range(6) for number in range(66, 129, 2)))


def stop_of_number(number: int) -> int:
    """The stop nearest to a number of channels."""
    return min(range(len(STOPS)), key=lambda stop: abs(STOPS[stop] - number))


def channels(value: int, label: str, elem_id: str) -> gr.Number:
    """Lay out the number box and its slider, tied to each other; the number is the control."""
    number = gr.Number(value, label=label, elem_id=elem_id, elem_classes="gl-exact", min_width=80)
    slider = gr.Slider(0, len(STOPS) - 1, stop_of_number(value), step=1, label=label, buttons=[],
                       elem_id=f"{elem_id}-slider", elem_classes="gl-octaves")  # fmt: skip
    tie: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    slider.input(None, slider, number, js="googlenet.channelsOfStop", **tie)
    number.change(None, number, slider, js=f"googlenet.followChannels('{elem_id}')", **tie)
    return number
