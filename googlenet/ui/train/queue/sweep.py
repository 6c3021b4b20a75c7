"""Train, Sweep: the same training with several rates, seeds and networks, added to the queue at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.formats.share import fresh_name, parse_network
from googlenet.recipes import TrainConfig
from googlenet.training.planning.costs import Costs, costs_of
from googlenet.training.planning.trial import Trial
from googlenet.training.queue.forecast import speeds, takes
from googlenet.training.queue.runner import enqueue_sweep
from googlenet.training.queue.sweep import MOST_RUNS, expand, parse_rates, parse_seeds
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import LIVE, html, refusal_slot
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, refusable
from googlenet.ui.train.form import NETWORKS, Form
from googlenet.ui.train.launch.planned import costs_alike, planned
from googlenet.ui.train.queue.view import sweep_line


class SweepPanel:
    """The accordion's components."""

    def __init__(self, form: Form, checkpoints: Path, access: Access) -> None:
        self.form, self.checkpoints, self.access = form, checkpoints, access
        with gr.Accordion(tr("Sweep: many runs at once"), open=False, elem_id="sweep"):
            with gr.Row():
                self.rates = gr.Textbox(
                    label=tr("Learning rates"),
                    info=tr("such as 0.05, 0.1; empty: the form's"),
                    max_lines=1,
                    min_width=130,
                )
                self.seeds = gr.Textbox(
                    label=tr("Seeds"), info=tr("such as 0-4, 7; empty: the form's"), max_lines=1, min_width=130
                )
            self.networks = gr.Dropdown(
                list(NETWORKS), label=tr("Networks"), info=tr("none: the form's"), multiselect=True, value=[]
            )
            self.plan = html(_nothing())
            self.said = refusal_slot()
            self.add = gr.Button(tr("Add the sweep to the queue"), size="sm", interactive=False)

    @property
    def lists(self) -> list[Any]:
        """What a person fills in."""
        return [self.rates, self.seeds, self.networks]

    def wire(self, trial: gr.State, answers: list[Any], watched: list[Any], view: list[Any]) -> None:
        """Its events: the plan follows the lists, whose form is in `answers`; adding asks for news into `view`."""
        inputs = [trial, *self.lists, *answers]
        changes = [self.rates.change, self.seeds.change, self.networks.input]
        gr.on(changes, self.look, inputs, [self.plan, self.add], **LIVE)
        added = self.add.click(self._add(), inputs, [self.said, self.plan, self.add], **PRIVATE)
        added.then(None, watched, view, js="googlenet.watchNow")

    def look(self, trial: Any, rates: str, seeds: str, networks: Any, *answers: Any) -> list[Any]:
        """The plan as HTML, and whether it can be added."""
        try:
            self.form.settings(*answers)
            if not (rates or "").strip() and not (seeds or "").strip() and not networks:
                return [_nothing(), gr.update(interactive=False)]
            _, configs = self.configs(rates, seeds, networks, answers)
            costs, seconds = costs_all(configs), self.seconds(configs, trial)
        except LabError as error:
            return [message(hide_paths(tr("No sweep yet: {error}", error=error))), gr.update(interactive=False)]
        words = tr("Add {n} runs to the queue", n=len(configs))
        return [sweep_line(configs, costs, seconds), gr.update(value=words, interactive=True)]

    def configs(self, rates: Any, seeds: Any, networks: Any, answers: Sequence[Any]) -> tuple[str, list[TrainConfig]]:
        """The sweep's name and its trainings; raises `LabError`."""
        settings = self.form.settings(*answers)
        base = parse_network(settings["network"])
        name = (settings.pop("run") or "").strip() or fresh_name(base)

        def make(**changes: Any) -> TrainConfig:
            return planned(**{**settings, **changes})

        lists = {"rates": parse_rates(rates), "seeds": parse_seeds(seeds), "networks": list(networks or [])}
        return name, expand(name, make, **lists)

    def seconds(self, configs: Sequence[TrainConfig], trial: tuple[TrainConfig, Trial] | None) -> list[float | None]:
        """What each takes, by the measurement or else by runs so far."""
        known = speeds(self.checkpoints)
        return [measured(config, trial) or takes(config, known)[0] for config in configs]

    def _add(self) -> Any:
        @refusable(3, place=0)
        @rights.needs(self.access, "start")
        def add(trial: Any, rates: str, seeds: str, networks: Any, *answers: Any) -> list[Any]:
            name, configs = self.configs(rates, seeds, networks, answers)
            measured_ones = [measured(config, trial) for config in configs]

            def enqueue(owner: str) -> None:
                enqueue_sweep(configs, self.checkpoints, group=name, by="page", owner=owner, seconds=measured_ones)

            rights.start_own(self.access, self.checkpoints, enqueue, len(configs))
            said = tr("{n} runs are in the queue, as sweep {name}.", n=len(configs), name=name)
            again = gr.update(value=tr("Add the sweep to the queue"), interactive=False)
            return [message(said, "done"), _nothing(), again]

        return add


def _nothing() -> str:
    said = tr("Everything else is as in the form above. Up to {most} runs.", most=MOST_RUNS)
    return f"<p class='gl-note'>{said}</p>"


def measured(config: TrainConfig, trial: tuple[TrainConfig, Trial] | None) -> float | None:
    """Seconds of `config` by a `trial` of a training that costs the same a step; None without one."""
    if trial is None or costs_alike(trial[0]) != costs_alike(config):
        return None
    return trial[1].seconds + (config.epochs - trial[0].epochs) * trial[1].seconds_per_epoch


def costs_all(configs: Sequence[TrainConfig]) -> list[Costs]:
    """Of each; what differs only in rate and seed is computed once."""
    known: dict[TrainConfig, Costs] = {}
    found = []
    for config in configs:
        same = dataclasses.replace(config, run="any", seed=0, lr=0.1)
        if same not in known:
            known[same] = costs_of(same)
        found.append(known[same])
    return found
