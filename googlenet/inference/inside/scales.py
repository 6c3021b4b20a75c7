"""Why a module has several windows: one object at four sizes, and which branch sees where it ends.

The same object is laid on a dark ground and on a light one. What a branch gives at the object's middle changes only
where its window reaches past the object's edge: a window that the object fills cannot tell how large the object is.
The sizes are made for the module, one pixel a side below the window of each branch, and one that fills the widest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.data.shapes import shape_cover
from googlenet.errors import LabError, check_choice
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.inside.fields import Box, branch_fields
from googlenet.inference.inside.trace import bands, inception, walk
from googlenet.language import mark, tr, trn
from googlenet.models.profile import profile_network

GROUNDS = (45, 210)  # grey, of 255
PAINT = (214, 96, 77)
BLIND = 1e-5  # a smaller change is rounding


@dataclass(frozen=True, eq=False)
class Scale:
    """The object at `size` pixels a side: `picture` uint8 (3, H, W) on the dark ground, and how much of what each
    branch gives at its middle changes with the ground, relative to its size: 0 where its window is filled."""

    size: int
    picture: Tensor
    changes: dict[str, float]

    @property
    def catching(self) -> list[str]:
        """The branches that see where the object ends."""
        return [branch for branch, change in self.changes.items() if change > BLIND]


@dataclass(frozen=True, eq=False)
class Scales:
    """What one place of `module` sees of an object at several sizes; `windows` are its branches' receptive fields."""

    module: str
    y: int
    x: int
    windows: dict[str, Box]
    scales: tuple[Scale, ...]

    @property
    def sentence(self) -> str:
        """What is to be seen, from the measured changes."""
        first, name = self.scales[0], self.module.removeprefix("inception")
        blind = next((scale for scale in self.scales if not scale.catching), None)
        single = next((scale for scale in self.scales if len(scale.catching) == 1), None)
        said = _seen(first, name, len(self.windows))
        if single:
            branch = tr(single.catching[0])
            said = tr("{said}, at {size} only the {branch} branch does", said=said, size=_pixels(single), branch=branch)
        if blind:
            said = tr(
                "{said}. At {size} it fills every window: that is left to the modules that follow",
                said=said,
                size=_pixels(blind),
            )
        return f"{said}."


def modules_with_scales(network: GoogLeNetConfig) -> list[str]:
    """The modules of which the widest window still fits into the picture; later ones see all of it."""
    profile = profile_network(network)
    found = []
    for layer in network.layers:
        if isinstance(layer, InceptionConfig):
            height, width = profile.by_layer()[layer.name].out_shape[1:]
            seen = branch_fields(profile, layer.name, height // 2, width // 2).values()
            if max(field.whole.width for field in seen) <= network.input_size:
                found.append(layer.name)
    return found


@torch.inference_mode()
def look_at_scales(classifier: Classifier, thing: str | Image.Image, module: str) -> Scales:
    """Lay `thing`, a shape's name or a picture, at several sizes before `module` and see what each branch makes of it.

    Raises `LabError` for a module that is none of `modules_with_scales`, and for an unknown shape.
    """
    network = classifier.info.network
    known = modules_with_scales(network)
    if not known:
        raise LabError(
            tr(
                "Every window of {name}'s modules is larger than its pictures: choose another network.",
                name=network.name,
            ),
            "module",
        )
    check_choice(module, "module", tuple(known))
    config = inception(network, module)
    assert config is not None
    side = network.input_size
    profile = profile_network(network)
    y = x = profile.by_layer()[module].out_shape[1] // 2
    windows = {branch: field.whole for branch, field in branch_fields(profile, module, y, x).items()}
    sizes = sorted({max(1, box.width - 2) for box in windows.values()} | {max(b.width for b in windows.values())})
    middle = windows["1×1"]
    pictures = [_laid(thing, size, side, middle, ground) for size in sizes for ground in GROUNDS]
    given = next(maps for name, maps in walk(classifier.model, classifier.prepared(torch.stack(pictures)))
                 if name == module)[:, :, y, x].float().cpu()  # fmt: skip
    scales = []
    for number, size in enumerate(sizes):
        dark, light = given[2 * number], given[2 * number + 1]
        changes = {branch: _change(dark[band], light[band]) for branch, band in bands(config).items()}
        scales.append(Scale(size, pictures[2 * number], changes))
    return Scales(module, y, x, windows, tuple(scales))


def _laid(thing: str | Image.Image, size: int, side: int, middle: Box, ground: int) -> Tensor:
    """uint8 (3, side, side): the thing, `size` pixels a side, around the middle of a window, on a plain grey."""
    picture = torch.full((3, side, side), ground, dtype=torch.uint8)
    left, top = ((low + high - size) // 2 for low, high in (middle[::2], middle[1::2]))
    if isinstance(thing, str):
        cover = shape_cover(thing, size)
        patch = torch.lerp(torch.full((3, 1, 1), float(ground)), torch.tensor(PAINT).float().view(3, 1, 1), cover)
        patch = patch.round().byte()
    else:
        patch = to_tensor(thing.convert("RGB").resize((size, size), Image.Resampling.BOX))
    cut_left, cut_top = max(0, -left), max(0, -top)
    right, bottom = min(size, side - left), min(size, side - top)
    picture[:, top + cut_top : top + bottom, left + cut_left : left + right] = patch[:, cut_top:bottom, cut_left:right]
    return picture


def _change(one: Tensor, other: Tensor) -> float:
    """How far apart two answers of a branch are, in their own mean size."""
    size = (one.norm() + other.norm()).item() / 2
    return (one - other).norm().item() / size if size else 0.0


def _seen(scale: Scale, module: str, all_of_them: int) -> str:
    """Which branches see where an object of this size ends, without a full stop."""
    size, branches = _pixels(scale), [tr(branch) for branch in scale.catching]
    if not branches:
        return tr("At {size} no branch of {module} sees where the object ends", size=size, module=module)
    if len(branches) == all_of_them:
        return tr("At {size} all branches of {module} see where the object ends", size=size, module=module)
    *others, last = branches
    if not others:
        text = mark("At {size} only the {last} branch of {module} sees where the object ends")
    else:
        text = mark("At {size} the {others} and {last} branches of {module} see where the object ends")
    return tr(text, size=size, module=module, others=", ".join(others), last=last)


def _pixels(scale: Scale) -> str:
    return trn("{n} pixel", "{n} pixels", scale.size)
