"""Classify, See inside: a picture on its way through the network, layer by layer, with the sums behind every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.runs import Checkpoint, find_checkpoint
from googlenet.ui.classify import view as one_view
from googlenet.ui.classify.inside import answer, detail, stage
from googlenet.ui.classify.inside.channel import channel_card
from googlenet.ui.classify.inside.computing import computed_at, index_card
from googlenet.ui.classify.inside.neighbours import neighbours_card
from googlenet.ui.classify.inside.traces import traced
from googlenet.ui.classify.shared import Shared, classifier, received
from googlenet.ui.common.layout import html
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.long_work import refusable
from googlenet.ui.events.refusals import sent

NO_PICTURE = one_view.empty(
    "What happens inside?",
    "Drop a picture on the left, or try one of the examples: it goes through the network, and every branch of every "
    "module shows what it responds to.",
)
PATH = "googlenet.insidePath(element, (data) => trigger('choose', data))"
STAGE = "googlenet.insideStage(element, (data) => trigger('pick', data), watch)"
NOBODY = "(no other)"
# Others' answers do not wait for one's own; progress shows where the first one loads a network.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "classify", "trigger_mode": "always_last",
                        "show_progress": "minimal", "preprocess": False}  # fmt: skip


class _Page:
    """The view's components. `stop` is where on its way the picture is looked at, and stands in the address;
    `picked` the step and the channel that were chosen last."""

    def __init__(self) -> None:
        self.stop = gr.Textbox("", visible="hidden")
        self.picked: gr.State = gr.State(None)
        self.way = html("", js_on_load=PATH)
        self.stage = html(NO_PICTURE, js_on_load=STAGE)
        with gr.Column(visible=False) as self.answer:
            with gr.Row():
                self.target = gr.Dropdown([], label="Why", info="the class whose logit is taken apart", min_width=150)
                self.against = gr.Dropdown([], label="and not", info="for the difference of two", min_width=150)
            self.ledger = html("")
        self.detail = html("")
        self.card = index_card()


def inside_panel(shared: Shared) -> Callable[[gr.Button, Any], None]:
    """Lay out the view and wire it; returns how a button elsewhere opens it at the layer that a component names."""
    page = _Page()
    chosen = [shared.view, shared.picture, shared.network, page.stop]
    shown = [page.way, page.stage, page.answer, page.target, page.against, page.ledger, page.detail, page.card]

    def looked(upload: Any, name: str | None) -> tuple[Checkpoint, Any, Any]:
        checkpoint = find_checkpoint(shared.checkpoints, name or "")
        network = classifier(shared.checkpoints, checkpoint.path)
        return checkpoint, network, traced(network, checkpoint, received(upload))

    def show(view: str, upload: Any, name: str | None, stop: str | None) -> list[Any]:
        if view != "inside":
            return [gr.skip()] * len(shown)
        nothing = [gr.Column(visible=False), gr.skip(), gr.skip(), "", "", ""]
        if upload is None:
            return ["", NO_PICTURE, *nothing]
        try:
            checkpoint, network, trace = looked(upload, name)
        except LabError as error:
            return ["", one_view.empty("No answer", hide_paths(str(error)), refused=True), *nothing]
        at = stage.fitting_stop(trace.profile, stop)
        drawn = [stage.path(trace.profile, at), stage.stage(trace, at)]
        if at != stage.ANSWER:
            return [*drawn, *nothing]
        first = next(iter(trace.probabilities))
        names = network.info.classes
        return [
            *drawn,
            gr.Column(visible=True),
            gr.Dropdown(names, value=first),
            gr.Dropdown([NOBODY, *names], value=NOBODY),
            answer.ledger_html(checkpoint, network, trace, first, None),
            "",
            neighbours_card(shared.checkpoints, shared.access, checkpoint, trace),
        ]

    def go(view: str, upload: Any, name: str | None, event: gr.EventData) -> list[Any]:
        stop = str(sent(event, "stop"))[:80]
        return [stop, *show(view, upload, name, stop)]

    @refusable(1)
    def explain(upload: Any, name: str | None, target: str, against: str) -> Any:
        checkpoint, network, trace = looked(upload, name)
        return answer.ledger_html(checkpoint, network, trace, target, None if against == NOBODY else against)

    @refusable(3)
    def pick(upload: Any, name: str | None, known: Any, event: gr.EventData) -> list[Any]:
        checkpoint, network, trace = looked(upload, name)
        step, channel, place = detail.parse(trace, *(sent(event, part) for part in ("step", "channel", "place")))
        told = detail.detail_html(network, trace, step, channel, place)
        if known == (checkpoint.name, step, channel):  # another place of the same channel
            return [told, gr.skip(), known]
        card = channel_card(shared.checkpoints, shared.access, checkpoint, step, channel)
        return [told, card, (checkpoint.name, step, channel)]

    @refusable(1)
    def draw_card(upload: Any, name: str | None, stop: str, known: Any) -> Any:
        checkpoint = find_checkpoint(shared.checkpoints, name or "")
        if known and known[0] == checkpoint.name and stop != stage.ANSWER:
            return channel_card(shared.checkpoints, shared.access, checkpoint, *known[1:])
        return neighbours_card(shared.checkpoints, shared.access, checkpoint, looked(upload, name)[2])

    for event in (*shared.answered, shared.view.change(None, shared.view, None, js="googlenet.keepClassifyView")):
        event.then(show, chosen, shown, **WORK)
    page.way.choose(go, chosen[:3], [page.stop, *shown], **WORK)
    asked = [shared.picture, shared.network, page.target, page.against]
    gr.on([page.target.input, page.against.input], explain, asked, page.ledger, **WORK)
    page.stage.pick(pick, [*asked[:2], page.picked], [page.detail, page.card, page.picked], **WORK)
    done = computed_at(shared, page.card)
    done.then(draw_card, [*asked[:2], page.stop, page.picked], page.card, **WORK)
    shared.demo.load(None, None, [shared.view, page.stop], js="googlenet.openClassifyView")

    def see_from(button: gr.Button, layer: Any) -> None:
        opened = button.click(None, layer, [shared.view, page.stop], js="googlenet.seeOnPicture")
        opened.then(show, chosen, shown, **WORK)

    return see_from
