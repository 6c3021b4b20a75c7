"""Classify, See inside: a picture on its way through the network, layer by layer, with the sums behind every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import Checkpoint, find_checkpoint
from googlenet.ui.classify import view as one_view
from googlenet.ui.classify.inside import answer, detail, stage
from googlenet.ui.classify.inside.channel import channel_card
from googlenet.ui.classify.inside.computing import WAITING, computed_at, index_card
from googlenet.ui.classify.inside.neighbours import neighbours_card
from googlenet.ui.classify.inside.traces import traced
from googlenet.ui.classify.shared import LIKELIEST, NOBODY, Shared, classifier, received
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.long_work import PRIVATE, refusable
from googlenet.ui.events.refusals import sent

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.trace import Trace

PATH = "googlenet.insidePath(element, () => trigger('choose'))"
STAGE = "googlenet.insideStage(element, (data) => trigger('pick', data), watch)"
DETAIL = "googlenet.insideDetail(element, (data) => trigger('products', data), watch)"
LEDGER = "googlenet.insideLedger(element, () => trigger('choose'))"
# Others' answers do not wait for one's own; progress shows where the first one loads a network.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "classify", "trigger_mode": "always_last",
                        "show_progress": "minimal", "preprocess": False}  # fmt: skip
# No answer waits for a card, whose training images may have to be read first.
CARDS: dict[str, Any] = {**WORK, "concurrency_id": "cards", "show_progress": "full"}
PROGRESS = gr.Progress()


def no_picture() -> Markup:
    """Nothing to look into yet."""
    return one_view.empty(
        tr("What happens inside?"),
        tr(
            "Drop a picture on the left, or try one of the examples: it goes through the network, and every branch of "
            "every module shows what it responds to."
        ),
    )


class _Page:
    """The view's components, and what `inside.js` hands over from the address when the view is drawn: `stop`, where on
    its way the picture is looked at, the `channel` chosen there, and the ledger's classes. `unfit` is what of that the
    network does not have. `about` is what the card is to be about, `drawn` what it is about: a checkpoint's name, a
    step or "answer", and a channel; None for no card."""

    def __init__(self) -> None:
        self.stop, self.channel = gr.Textbox("", visible="hidden"), gr.Textbox("", visible="hidden")
        self.unfit = gr.JSON(visible=False)
        self.about: gr.State = gr.State(None)
        self.drawn: gr.State = gr.State(None)
        self.way = html("", js_on_load=PATH)
        self.stage = html(no_picture(), js_on_load=STAGE)
        with gr.Column(visible=False) as self.answer:
            with gr.Row():
                self.target = gr.Dropdown(
                    [_likeliest()],
                    value=LIKELIEST,
                    label=tr("Why"),
                    info=tr("the class whose logit is taken apart"),
                    min_width=150,
                    elem_classes="gl-chooser",
                )
                self.against = gr.Dropdown(
                    [_nobody()],
                    value=NOBODY,
                    label=tr("and not"),
                    info=tr("for the difference of two"),
                    min_width=150,
                    elem_classes="gl-chooser",
                )
            self.ledger = html("", js_on_load=LEDGER)
        self.detail = html("", js_on_load=DETAIL)
        self.card = index_card()
        self.shown = [self.way, self.stage, self.answer, self.target, self.against, self.ledger, self.detail,
                      self.card, self.about, self.drawn, self.unfit]  # fmt: skip


class _Shown(NamedTuple):
    """What the view shows, in the order of `_Page.shown`."""

    way: Any
    stage: Any
    answer: Any = gr.update(visible=False)
    target: Any = gr.skip()
    against: Any = gr.skip()
    ledger: Any = ""
    detail: Any = ""
    card: Any = ""
    about: Any = None
    drawn: Any = None
    unfit: Any = gr.skip()


class Seen(NamedTuple):
    """A picture on its way through a network."""

    checkpoint: Checkpoint
    network: Classifier
    trace: Trace


def inside_panel(shared: Shared) -> Callable[[gr.Button, Any], None]:
    """Lay out the view and wire it; returns how a button elsewhere opens it at the layer that a component names."""
    page = _Page()
    asked = [shared.view, shared.picture, shared.network, page.stop, page.channel, page.target, page.against]

    def looked(upload: Any, name: str | None) -> Seen:
        checkpoint = find_checkpoint(shared.checkpoints, name or "")
        network = classifier(shared.checkpoints, checkpoint.path)
        return Seen(checkpoint, network, traced(network, checkpoint, received(upload)))

    def show(view: str, upload: Any, name: str | None, *address: Any) -> Any:
        if view != "inside":
            return [gr.skip()] * len(page.shown)
        if upload is None:
            return _Shown("", no_picture())
        try:
            return _drawn(looked(upload, name), *(str(part or "") for part in address))
        except LabError as error:
            return _Shown("", one_view.empty(tr("No answer"), hide_paths(str(error)), refused=True))

    def miss() -> _Shown:
        return _Shown("", one_view.unanswered())

    @refusable(1)
    def explain(upload: Any, name: str | None, target: str, against: str) -> Any:
        seen = looked(upload, name)
        target = next(iter(seen.trace.probabilities)) if target == LIKELIEST else target
        return answer.ledger_html(*seen, target, None if against == NOBODY else against)

    @refusable(3)
    def pick(upload: Any, name: str | None, known: Any, event: gr.EventData) -> list[Any]:
        checkpoint, network, trace = looked(upload, name)
        step, channel, place = detail.parse(trace, *(sent(event, part) for part in ("step", "channel", "place")))
        told, about = detail.detail_html(network, trace, step, channel, place), (checkpoint.name, step, channel)
        # Another place of the same channel has the same card.
        return [told, gr.skip() if known == about else WAITING, about]

    @refusable(1)
    def tell_all(upload: Any, name: str | None, event: gr.EventData) -> Any:
        _, network, trace = looked(upload, name)
        asked = detail.parse(trace, *(sent(event, part) for part in ("step", "channel", "place")))
        return detail.detail_html(network, trace, *asked, every=True)

    def card(upload: Any, name: str | None, about: Any, progress: gr.Progress) -> Any:
        def report(share: float, text: str) -> None:
            progress(share, desc=text)

        try:
            seen = looked(upload, name)
            where = shared.checkpoints, shared.access, seen.checkpoint
            _, step, channel = about
            if step == stage.ANSWER:
                return neighbours_card(*where, seen.trace, report)
            return channel_card(*where, step, channel, report)
        except LabError as error:
            return message(hide_paths(str(error)))

    def draw(upload: Any, name: str | None, about: Any, drawn: Any, progress: gr.Progress = PROGRESS) -> Any:
        if not about or about == drawn:
            return gr.skip(), gr.skip()
        return card(upload, name, about, progress), about

    def draw_anew(upload: Any, name: str | None, about: Any, progress: gr.Progress = PROGRESS) -> Any:
        return card(upload, name, about, progress) if about else ""

    def overtaken(about: Any, drawn: Any) -> Any:
        # While its images were read somebody went on: this card is not of what is shown now.
        return gr.skip() if about == drawn else WAITING if about else ""

    def carded(event: Any) -> None:
        done = event.then(draw, [*asked[1:3], page.about, page.drawn], [page.card, page.drawn], **CARDS)
        done.then(overtaken, [page.about, page.drawn], page.card, **PRIVATE)

    def shown_after(event: Any) -> None:
        fitted = event(show, asked, page.shown, js="googlenet.askedInside", **WORK)
        fitted.then(None, page.unfit, None, js="googlenet.forgetUnfit")
        fitted.failure(miss, None, page.shown, **PRIVATE)
        carded(fitted)

    for event in (*shared.answered, shared.view.change(None, shared.view, None, js="googlenet.keepClassifyView")):
        shown_after(event.then)
    shown_after(page.way.choose)
    shown_after(page.ledger.choose)
    page.detail.products(tell_all, asked[1:3], page.detail, **WORK)
    classes = [page.target, page.against]
    chosen = [page.target.input, page.against.input]
    gr.on(chosen, explain, [*asked[1:3], *classes], page.ledger, **WORK)
    gr.on(chosen, None, classes, None, js="googlenet.keepLedger")
    carded(page.stage.pick(pick, [*asked[1:3], page.about], [page.detail, page.card, page.about], **WORK))
    computed_at(shared, page.card).then(draw_anew, [*asked[1:3], page.about], page.card, **CARDS)
    shared.demo.load(None, None, shared.view, js="googlenet.openClassifyView")

    for failed in shared.unanswered:
        failed.then(miss, None, page.shown, **PRIVATE)

    def see_from(button: gr.Button, layer: Any) -> None:
        shown_after(button.click(None, layer, shared.view, js="googlenet.seeOnPicture").then)

    return see_from


def _likeliest() -> tuple[str, str]:
    """The choice of no class in particular: what people read, and its value."""
    return tr("the likeliest"), LIKELIEST


def _nobody() -> tuple[str, str]:
    return tr("(no other)"), NOBODY


def _drawn(seen: Seen, stop: str, channel: str, target: str, against: str) -> _Shown:
    """The view at `stop`, with what an address asks for there; what this network does not have is left out."""
    checkpoint, network, trace = seen
    at = stage.fitting_stop(trace.profile, stop)
    picked = detail.asked_channel(trace, at, channel)
    names = network.info.classes
    wanted = target if target in names else next(iter(trace.probabilities))
    other = against if against in names and against != wanted else None
    fits = {"see": stop == at, "channel": picked is not None, "class": target in names, "not": other is not None}
    unfit = {part: value for part, value in zip(fits, (stop, channel, target, against), strict=True) if not fits[part]}
    drawn = _Shown(stage.path(trace.profile, at), stage.stage(trace, at, picked), unfit=unfit)
    if at == stage.ANSWER:
        return drawn._replace(
            answer=gr.Column(visible=True),
            target=gr.Dropdown([_likeliest(), *names], value=target if target in names else LIKELIEST),
            against=gr.Dropdown([_nobody(), *names], value=other or NOBODY),
            ledger=answer.ledger_html(*seen, wanted, other),
            card=WAITING,
            about=(checkpoint.name, at, 0),
        )
    if picked is None:
        return drawn
    told = detail.detail_html(network, trace, *picked, stage.strongest_place(trace, *picked))
    return drawn._replace(detail=told, card=WAITING, about=(checkpoint.name, *picked))
