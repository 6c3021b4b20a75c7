"""The card "what this channel looks for": nine training images, and in each the part that excited the channel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.config import DATA_SIZE
from googlenet.errors import LabError, check_whole
from googlenet.inference.inside.fields import Box, branch_steps, field
from googlenet.language import tr
from googlenet.models.profile import BRANCHES, Profile, profile_network
from googlenet.runs import Checkpoint, find_checkpoint
from googlenet.ui.classify.inside import training_images
from googlenet.ui.classify.inside.shown import file_in_command
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import Access, hide_paths

if TYPE_CHECKING:
    from googlenet.data.splits import Progress
    from googlenet.inference.index import Index, Top, TrainingImages

SMALL = 0.5  # of the picture: what is seen is shown enlarged beside it


@dataclass(frozen=True)
class Tile:
    """One training image in the card: which of the sheet it is, and what the channel saw of it, in pixels."""

    number: int
    label: str
    value: float
    y: int
    x: int
    box: Box


def channel_card(
    checkpoints: Path,
    access: Access,
    checkpoint: Checkpoint | str,
    layer: str,
    channel: int,
    progress: Progress | None = None,
) -> Markup:
    """What `channel` of `layer` looks for in the training images; in place of what is not there, one sentence.

    `layer` is any name of `Trace.maps`: a step that ends a branch stands for the channels that it gives its module, a
    pool for the layer whose channels it keeps. Raises `LabError` for a channel that there is not.
    """
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = find_checkpoint(checkpoints, checkpoint)
    from googlenet.inference.index import load_index

    profile = profile_network(checkpoint.info.network)
    found = looked_up(profile, layer, channel)
    if found is None:
        why = tr("The index keeps what leaves a convolution or a module: choose a channel there.")
        return render("classify/inside/channel.html", title=_title(layer, channel), problem=why)
    try:
        index = load_index(checkpoint.path)
    except LabError as error:
        return missing_card(checkpoints, access, checkpoint, _title(*found), hide_paths(str(error)))
    if index is None:
        said = tr("Which training images excite it most is not computed yet for this network.")
        return missing_card(checkpoints, access, checkpoint, _title(*found), said)
    sources = training_images.sources(checkpoints, access, checkpoint)
    return _drawn(sources, profile, index, *found, progress)


def missing_card(checkpoints: Path, access: Access, checkpoint: Checkpoint, title: str, said: str) -> Markup:
    """Nothing to show yet, and the button that computes it; where the images are not here, how to get them."""
    source, size = None, checkpoint.info.network.input_size
    if size == DATA_SIZE:
        source = training_images.fitting_source(checkpoints, access, checkpoint)
    return render(
        "classify/inside/no_index.html",
        title=title,
        said=said,
        sides=None if size == DATA_SIZE else (size, DATA_SIZE),
        takes=source and training_images.computing_time(checkpoints, checkpoint, source),
        file=file_in_command(checkpoint),
        refused=access.read_only,
    )


def looked_up(profile: Profile, step: str, channel: int) -> tuple[str, int] | None:
    """The layer and the channel of the index that `channel` of `step` is; None for a reduction, a picture, a class.

    A pool takes the maximum of each channel by itself, so that its channels look for what those before it look for.
    """
    rows = [row for row in profile.rows if not row.aux]
    layers = list(dict.fromkeys(row.layer for row in rows))
    row = next((row for row in rows if row.name in (step, f"{step}.concat")), None)
    if row is None:
        return None
    channel = check_whole(channel, "channel", 0, row.out_channels - 1)
    if row.branch:
        ends = {branch: steps[-1] for branch, steps in branch_steps(profile, row.layer).items()}
        if ends[row.branch] is not row:
            return None
        before = BRANCHES[: BRANCHES.index(row.branch)]
        return row.layer, channel + sum(ends[branch].out_channels for branch in before)
    for layer in reversed(layers[: layers.index(row.layer) + 1]):
        last = [row for row in rows if row.layer == layer][-1]
        if last.label == "concatenation" or last.label.endswith("convolution"):
            return layer, channel
        if not last.kernel:  # a linear layer, or one that mixes channels
            return None
    return None


def seen_step(profile: Profile, layer: str, channel: int) -> tuple[str, str]:
    """The step that gives `channel` of `layer`, and its branch: "" for a convolution outside of modules."""
    if not any(row.layer == layer and row.branch for row in profile.rows):
        return layer, ""
    steps = branch_steps(profile, layer)
    for branch in BRANCHES:
        last = steps[branch][-1]
        if channel < last.out_channels:
            return last.name, branch
        channel -= last.out_channels
    raise LabError(tr("{layer} has fewer channels: choose another.", layer=layer), "channel")


def tiles(profile: Profile, layer: str, channel: int, tops: tuple[Top, ...], images: TrainingImages) -> list[Tile]:
    """The strongest images with what the channel's own branch saw of each."""
    step, _ = seen_step(profile, layer, channel)
    whole = Box(0, 0, profile.in_shape[2], profile.in_shape[1])
    boxes = [field(profile, step, top.y, top.x).box or whole for top in tops]
    return [
        Tile(number, images.label(top.image), top.value, top.y, top.x, box)
        for number, (top, box) in enumerate(zip(tops, boxes, strict=True))
    ]


def _drawn(
    sources: list[str], profile: Profile, index: Index, layer: str, channel: int, progress: Progress | None
) -> Markup:
    from googlenet.inference.index import find_images

    tops = index.top(layer, channel)
    shown = {"title": _title(layer, channel), "branch": tr(seen_step(profile, layer, channel)[1])}
    shown |= {"images": index.about.count, "data": index.about.data, "mean": float(index.means[layer][channel])}
    if tops[0].value == 0:  # behind a ReLU
        silent = tr("It is silent: it gives 0 everywhere on all {n:,} training images.", n=index.about.count)
        return render("classify/inside/channel.html", problem=silent, **shown)
    try:
        images = find_images(index.about, sources, progress=progress)
    except LabError as error:
        return render("classify/inside/channel.html", problem=hide_paths(str(error)), **shown)
    found = tiles(profile, layer, channel, tops, images)
    side = profile.in_shape[1]
    return render(
        "classify/inside/channel.html",
        problem="",
        tiles=found,
        side=side,
        outlined=any(tile.box.width * tile.box.height < side**2 for tile in found),
        enlarged=max(tile.box.width * tile.box.height for tile in found) < SMALL * side**2,
        largest=max(max(tile.box.width, tile.box.height) for tile in found),
        sheet=training_images.sheet([images.image(top.image) for top in tops]),
        labels=in_words(Counter(tile.label for tile in found)),
        **shown,
    )


def in_words(counted: Counter[str]) -> str:
    """ "truck (6), automobile (2) and ship", or "all truck"."""
    if len(counted) == 1 < counted.total():
        return tr("all {label}", label=next(iter(counted)))
    *others, last = [f"{label} ({count})" if count > 1 else label for label, count in counted.most_common()]
    return tr("{others} and {last}", others=", ".join(others), last=last) if others else last


def _title(layer: str, channel: int) -> str:
    return tr("What channel {channel} of {layer} looks for", channel=channel, layer=layer)
