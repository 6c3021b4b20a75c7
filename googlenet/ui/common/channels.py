"""A number of channels to set: typed exactly, or slid over octaves, so that 16 and 4,096 are one drag apart.

The slider's stops are every number to 64 and 32 in each octave above: 66, 68, … 128, 132, … 256, … 4,096. Module
widths of the paper are all among them. The number is what counts; the slider follows it to the nearest stop.
"""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

SINGLE, PER_OCTAVE, OCTAVES = 64, 32, 6
LAST_STOP = SINGLE - 1 + PER_OCTAVE * OCTAVES

# The same two sums in the browser, which moves one when the other moves, without asking the server.
NUMBER_OF_STOP = f"""(stop) => {{
    if (stop < {SINGLE}) return stop + 1;
    const octave = Math.floor((stop - {SINGLE}) / {PER_OCTAVE});
    return 2 ** octave * ({SINGLE} + 2 * (stop - {SINGLE - 1} - {PER_OCTAVE} * octave));
}}"""
STOP_OF_NUMBER = f"""(number) => {{
    number = Math.min(Math.max(Number(number) || 1, 1), {SINGLE << OCTAVES});
    if (number <= {SINGLE}) return Math.round(number) - 1;
    const octave = Math.floor(Math.log2(number / {SINGLE}));
    return {SINGLE - 1} + {PER_OCTAVE} * octave + Math.round((number / 2 ** octave - {SINGLE}) / 2);
}}"""


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
    slider.input(None, slider, number, js=NUMBER_OF_STOP, **tie)
    number.change(None, number, slider, js=_follow(elem_id), **tie)
    return number


def _follow(elem_id: str) -> str:
    """Move the slider, and tell a screen reader the channels instead of the stop."""
    return f"""(number) => {{
        const range = document.querySelector("#{elem_id}-slider input[type=range]");
        if (range) range.ariaValueText = `${{number}} channels`;
        return ({STOP_OF_NUMBER})(number);
    }}"""
