"""The Build tab: what an Inception module does to shapes, and what each of its branches costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from googlenet.config import MAX_BATCH, MAX_CHANNELS, MAX_SIZE, InceptionConfig, LabError, check_choice
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, NOTE_NAIVE, PRESETS, preset
from googlenet.models.profile import profile_module, profile_network
from googlenet.ui import build_view, figures
from googlenet.ui.cores import share_cores

KINDS = ("reduced", "naive")
OWN = "your own"
# Beyond this a drag has no precision left; Gradio holds typed numbers to the slider's range too.
SLIDER_MAX = 1024
LIMITS = (
    f"Sliders go to {SLIDER_MAX:,} channels; the Python and HTTP interfaces take up to {MAX_CHANNELS:,}. "
    f"Sides go to {MAX_SIZE:,} pixels, batches to {MAX_BATCH:,} images."
)
LIVE = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
# The page's address holds the form, ?module=reduced-192-1-28-…, so that a reload or a shared link opens it again.
# The browser alone reads it: an answer from the server could overwrite what a quick hand has set meanwhile.
READ_URL = """(...values) => {
    const linked = (new URL(location).searchParams.get("module") ?? "").split("-");
    const [kind, ...numbers] = linked;
    const known = ["reduced", "naive"].includes(kind) && numbers.every((number) => /^[0-9]{1,5}$/.test(number));
    return known && linked.length === values.length ? [kind, ...numbers.map(Number)] : values;
}"""
# Browsers refuse an address that changes at every step of a drag, hence the pause.
WRITE_URL = """(...values) => {
    clearTimeout(window.glRemember);
    window.glRemember = setTimeout(() => {
        const url = new URL(location);
        url.searchParams.set("module", values.join("-"));
        history.replaceState(history.state, "", url);
    }, 400);
}"""


@dataclass(frozen=True)
class Form:
    """What the controls hold, in their order on the page."""

    kind: str
    in_channels: int
    batch: int
    height: int
    width: int
    ch1x1: int
    ch3x3red: int
    ch3x3: int
    ch5x5red: int
    ch5x5: int
    pool_proj: int

    def config(self) -> InceptionConfig:
        """The module described; `LabError` naming the field that is out of range."""
        check_choice(self.kind, "kind", KINDS)
        if self.kind == "naive":
            return InceptionConfig.make_naive("The module's", self.in_channels, self.ch1x1, self.ch3x3, self.ch5x5)
        widths = (self.ch1x1, self.ch3x3red, self.ch3x3, self.ch5x5red, self.ch5x5, self.pool_proj)
        return InceptionConfig("The module's", self.in_channels, *widths)

    @property
    def values(self) -> tuple[Any, ...]:
        """One value a control."""
        return tuple(vars(self).values())


def _form(config: InceptionConfig, height: int, width: int) -> Form:
    """A preset's form; a naive module keeps 3a's reductions behind the scenes, for switching back."""
    spare = INCEPTIONS["3a"] if config.naive else config
    return Form(
        "naive" if config.naive else "reduced", config.in_channels, 1, height, width,
        config.ch1x1, spare.ch3x3red, config.ch3x3, spare.ch5x5red, config.ch5x5, spare.pool_proj,
    )  # fmt: skip


def _starts() -> dict[str, Form]:
    rows = profile_network(preset("imagenet")).rows
    arriving = {row.layer: row.in_shape for row in reversed(rows)}  # of each layer's first row
    starts = {f"{key} of GoogLeNet": _form(c, *arriving[c.name][1:]) for key, c in INCEPTIONS.items()}
    side = NOTE_EXAMPLE_SIZE
    return {
        **starts,
        "the note's example, naive": _form(NOTE_NAIVE, side, side),
        "the note's example, with reductions": _form(INCEPTIONS["3a"], side, side),
    }


STARTS = _starts()
DEFAULT = next(iter(STARTS))


def draw(*values: Any) -> tuple[Any, Any, Any, Any]:
    """The refusal, the answer, no result of torch yet, and the name that fits; a refused form keeps what was there."""
    form = Form(*values)
    try:
        config = form.config()
        profile = profile_module(config, form.height, form.width, form.batch)
    except LabError as error:
        return figures.message(str(error)), gr.skip(), gr.skip(), gr.skip()
    name = next((name for name, known in STARTS.items() if _same(known, form)), OWN)
    return "", build_view.module_answer(config, profile), build_view.NOT_MEASURED, name


def _same(known: Form, form: Form) -> bool:
    """Whether two forms describe the same module on the same map, whatever the batch."""
    return known.config() == form.config() and (known.height, known.width) == (form.height, form.width)


def load_start(name: str, *values: Any) -> tuple[Any, ...]:
    """Every control's value for a named module; the values as they are for "your own"."""
    return STARTS[name].values if name in STARTS else values


def show_reductions(kind: str) -> list[Any]:
    """A naive module has no reductions and no pool projection to set."""
    return [gr.update(visible=kind != "naive")] * 3


def run_module(*values: Any) -> tuple[Any, Any]:
    """The refusal and the HTML of one forward pass through torch."""
    form = Form(*values)
    try:
        config = form.config()
        profile = profile_module(config, form.height, form.width, form.batch)
        from googlenet.models.measure import measure_module  # torch: seconds and 600 MB that drawing does not need

        measured = measure_module(config, form.height, form.width, form.batch)
    except LabError as error:
        return figures.message(str(error)), gr.skip()
    return "", build_view.measured_answer(measured, profile)


def draw_network(name: str) -> str:
    """HTML of a network preset's layers."""
    config = preset(name)
    return build_view.network_answer(config, profile_network(config))


def build_tab(checkpoints: Path) -> None:
    """Lay out the tab and wire it; call inside `with gr.Blocks(): with gr.Tab("Build"):`.

    `checkpoints` is where a trainer may be at work, to which a measured pass leaves the cores.
    """

    def run_real(*values: Any) -> tuple[Any, Any]:
        share_cores(checkpoints)
        return run_module(*values)

    with gr.Row():
        with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
            start, controls, reductions = _controls()
        with gr.Column(scale=2, min_width=320):
            refusal = _html("", "gl-slot", "gl-refusal")
            answer = _html(draw(*STARTS[DEFAULT].values)[1])
            run = gr.Button("Run it for real", variant="secondary")
            measured = _html(build_view.NOT_MEASURED)
    with gr.Accordion("The whole network, layer by layer", open=False):
        network = gr.Radio(
            [(f"{name}: {about}", name) for name, about in PRESETS.items()], value="imagenet", label="Network"
        )
        layers = _html(draw_network("imagenet"))

    # .change and not .input: a typed number that Gradio pulls into the slider's range counts as a change only.
    controls_changed = [control.change for control in controls]
    gr.on(
        controls_changed,
        draw,
        controls,
        [refusal, answer, measured, start],
        **LIVE,
    )
    start.input(load_start, [start, *controls], controls, **LIVE)
    gr.on(controls_changed, None, controls, js=WRITE_URL)
    Context.root_block.load(None, controls, controls, js=READ_URL)
    controls[0].change(show_reductions, controls[0], reductions, **LIVE)
    run.click(run_real, controls, [refusal, measured], show_progress_on=measured, api_visibility="private")
    network.input(draw_network, network, layers, **LIVE)


def _controls() -> tuple[gr.Dropdown, list[gr.components.Component], list[gr.Group]]:
    """The left column: where to start from, a control for each field of `Form`, what a naive module lacks."""
    form = STARTS[DEFAULT]
    kind = gr.Radio([("with 1×1 reductions", "reduced"), ("naive", "naive")], value=form.kind, label="Inception module")
    start = gr.Dropdown([*STARTS, OWN], value=DEFAULT, label="Start from")
    with gr.Group():
        sizes = [
            *_numbers({"in_channels": "Channels in", "batch": "Batch of images"}),
            *_numbers({"height": "Height", "width": "Width"}),
        ]
    with _group("1×1"):
        ch1x1 = _slider("ch1x1", "1×1 channels")
    with _group("3×3"):
        with gr.Group() as before_3x3:
            ch3x3red = _slider("ch3x3red", "1×1 reduction before the 3×3")
        ch3x3 = _slider("ch3x3", "3×3 channels")
    with _group("5×5"):
        with gr.Group() as before_5x5:
            ch5x5red = _slider("ch5x5red", "1×1 reduction before the 5×5")
        ch5x5 = _slider("ch5x5", "5×5 channels")
    with _group("pool") as pool:
        pool_proj = _slider("pool_proj", "1×1 projection after the pool")
    _html(f"<p class='gl-note'>{LIMITS}</p>")
    controls = [kind, *sizes, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj]
    return start, controls, [before_3x3, before_5x5, pool]


def _numbers(labels: dict[str, str]) -> list[gr.Number]:
    """A row of number boxes, one for each field."""
    form = STARTS[DEFAULT]
    with gr.Row():
        return [
            gr.Number(getattr(form, field), label=label, min_width=100, elem_id=f"build-{field}")
            for field, label in labels.items()
        ]


def _group(branch: str) -> gr.Group:
    """A box for a branch's sliders, behind its colour."""
    return gr.Group(elem_classes=["gl-channels", figures.BRANCH_CLASSES[branch]])


def _html(value: str, *classes: str) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes])


def _slider(field: str, label: str) -> gr.Slider:
    value, label = getattr(STARTS[DEFAULT], field), f"{label} ({field})"
    slider = gr.Slider(1, SLIDER_MAX, value, step=1, label=label, elem_id=f"build-{field}")
    # Gradio would answer an empty box or a value out of range with a toast of its own; `draw` says it in our words.
    # A gr.update of the slider would undo this, so events give it plain values and hide the group around it.
    slider.preprocess = lambda value: value
    return slider
