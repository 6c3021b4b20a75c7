"""Classify's endpoints: what a picture or many show, why, and where the logit comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import gradio as gr

from googlenet.data.datasets import Progress
from googlenet.runs import find_checkpoint
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.types.classify import Classified, Explained, Inside, ManyClassified
from googlenet.ui.api.types.common import Against, CheckpointName, ClassName, Picture, says
from googlenet.ui.classify.inside.shown import file_in_command
from googlenet.ui.classify.many.limits import limits
from googlenet.ui.classify.many.work import classify_uploads
from googlenet.ui.classify.shared import classifier, received
from googlenet.ui.classify.tab import TOGETHER, classify_upload
from googlenet.ui.classify.why.panel import DEFAULT
from googlenet.ui.common.pictures import data_uri


def publish(endpoints: Endpoints, checkpoints: Path) -> None:
    """Register the endpoints that ask networks under `checkpoints`."""
    access = endpoints.access

    def classify(image: Picture, checkpoint: CheckpointName = "") -> Classified:
        """The five likeliest classes of a picture, and whether it looks like none of them.

        The shipped network knows CIFAR-10's ten classes and sees 32×32 pixels. Answers in well under a second.
        """
        return cast(Classified, classify_upload(checkpoints, image, checkpoint))

    def classify_many(
        files: Annotated[
            list[gr.FileData],
            says("pictures or zips of pictures, up to 10,000 of them, 1,000 on a page that others can reach"),
        ],
        checkpoint: CheckpointName = "",
        *,
        progress: Progress,
    ) -> ManyClassified:
        """A row for each picture in several files; zips count with all pictures in them.

        Ends after two minutes with what is done by then.
        """
        found = classify_uploads(checkpoints, files, checkpoint, limits(access.public), progress)
        return cast(ManyClassified, found)

    def explain(
        image: Picture,
        checkpoint: CheckpointName = "",
        target: ClassName = "",
        against: Against = "",
        method: Annotated[str, says("occlusion, grad-cam or integrated gradients")] = DEFAULT,
        png: Annotated[bool, says("whether to draw the map over the picture, too")] = False,
        *,
        progress: Progress,
    ) -> Explained:
        """Which pixels speak for a class, or for it and not for another, and how far that can be trusted.

        A second for a network that sees 32×32 pixels, up to minutes for one that sees 224×224, on a CPU.
        """
        from googlenet.inference.explain import explain as explained
        from googlenet.inference.explain.draw import over_picture

        known = find_checkpoint(checkpoints, checkpoint)
        network = classifier(checkpoints, known.path)
        found = explained(network, received(image), target or None, against or None, method, progress=progress)
        drawn = {"png": data_uri(over_picture(found))} if png else {}
        return cast(Explained, {"checkpoint": known.name, **found.to_dict(), **drawn})

    def inside(
        image: Picture,
        checkpoint: CheckpointName = "",
        target: ClassName = "",
        against: Against = "",
        *,
        progress: Progress,
    ) -> Inside:
        """Where the logit of a class comes from, exactly, and which branch of which module carried it.

        A second for a network that sees 32×32 pixels.
        """
        from googlenet.inference.inside.account import account_for  # imports torch

        known = find_checkpoint(checkpoints, checkpoint)
        asked = classifier(checkpoints, known.path)
        file = file_in_command(known)
        account = account_for(asked, received(image), target, against, progress, file=file)
        return cast(Inside, {"checkpoint": known.name, **account.to_dict()})

    work: dict[str, Any] = {"concurrency_id": "classify"}
    endpoints.add(classify, **TOGETHER)
    endpoints.add(classify_many, concurrency_id="many")
    endpoints.add(explain, concurrency_id="explain")
    endpoints.add(inside, **work)
