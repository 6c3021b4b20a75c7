"""Manners of long or final work: a question before it, progress and a way out during it, a toast when it is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.ui.common.figures import message
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.refusals import toast

PRIVATE: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


class Cancelled(Exception):
    """The visitor asked for an end."""


class Cancellation:
    """Passes progress on to a visitor's page, and stops the work when that visitor has pressed Cancel.

    The work may wait in line before it begins: what counts is the event that starts it, `at_start`, and any press
    after that.
    """

    def __init__(self) -> None:
        self._cancelled: set[str] = set()

    def cancel(self, request: gr.Request) -> None:
        """Cancel what this visitor's page waits for."""
        self._cancelled.add(str(request.session_hash))

    def at_start(self, show: Callable[[], Any]) -> Callable[[gr.Request], Any]:
        """The handler of the event that starts the work: it forgets older presses and returns what `show` does."""

        def start(request: gr.Request) -> Any:
            self._cancelled.discard(str(request.session_hash))
            return show()

        return start

    def listen(self, request: gr.Request, progress: gr.Progress) -> Callable[[float, str], None]:
        """A `Progress` for the lab's functions; it raises `Cancelled` after `cancel`.

        Raises it at once where Cancel was pressed while the work waited in line.
        """
        visitor = str(request.session_hash)

        def check() -> None:
            if visitor in self._cancelled:
                self._cancelled.discard(visitor)
                raise Cancelled

        def report(share: float, text: str) -> None:
            check()
            progress(share, desc=text)

        check()
        return report


def refusable(
    outputs: int, *, place: int | None = None, cancelled: str = mark("Cancelled: what was judged so far is kept.")
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a handler of `outputs` components: what it refuses leaves them as they were.

    The sentence stands in the component number `place`, or else is a toast; `cancelled`, a text that is marked for the
    catalogue, is one in any case.
    """

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def run(*arguments: Any) -> Any:
            answer: list[Any] = [gr.skip()] * outputs
            try:
                return handler(*arguments)
            except Cancelled:
                gr.Info(tr(cancelled))
            except LabError as error:
                if place is None:
                    toast(error)
                else:
                    answer[place] = message(hide_paths(str(error)))
            return answer[0] if outputs == 1 else tuple(answer)

        return run

    return decorate


def finally_(event: Dependency, handler: Callable[..., Any], *arguments: Any, **options: Any) -> Dependency:
    """As `event.then`, whose event it returns, but also where `event` failed or found the queue full: `then` is not."""
    event.failure(handler, *arguments, **options)
    return event.then(handler, *arguments, **options)


@dataclass
class Question:
    """A button whose step is asked about before it is done."""

    button: gr.Button
    box: gr.Column
    words: gr.HTML
    yes: gr.Button
    no: gr.Button

    @classmethod
    def lay_out(cls, button: str | gr.Button, answer: str) -> Question:
        """The button, where it does not stand elsewhere already, and below it what it will ask."""
        button = gr.Button(button) if isinstance(button, str) else button
        with gr.Column(visible=False, elem_classes="gl-ask") as box:
            words = gr.HTML(apply_default_css=False, elem_classes="gl-html")
            with gr.Row():
                yes = gr.Button(answer, variant="primary", size="sm", min_width=90)
                no = gr.Button(tr("No"), size="sm", min_width=60)
        return cls(button, box, words, yes, no)

    def ask(self, question: Callable[..., str], inputs: list[Any], asked: gr.State | None = None) -> Dependency:
        """Show the sentence that `question` returns when the button is pressed; "" asks nothing. Returns the event.

        `asked` keeps what it was asked about: the values of `inputs` then.
        """
        outputs = [self.box, self.words, *([asked] if asked else [])]

        @refusable(len(outputs))
        def show(*values: Any) -> Any:
            sentence = question(*values)
            said = [gr.Column(visible=bool(sentence)), f"<p>{escape(hide_paths(sentence))}</p>", values]
            return said[: len(outputs)]

        vars(show)["right"] = getattr(question, "right", "")  # see rights.py
        pressed = self.button.click(show, inputs, outputs, **PRIVATE)
        gr.on([self.no.click, self.yes.click], lambda: gr.Column(visible=False), None, self.box, **PRIVATE)
        return pressed
