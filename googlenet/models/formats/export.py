"""A trained network as a file that needs neither this lab nor its classes: ONNX, or a program of torch.export.

What it was trained to be shown is part of it: images in [0, 1] go in, normalisation and temperature are inside. Each
export is run again in the program that will read it, beside the original, before it is written.
"""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from googlenet.errors import LabError
from googlenet.files import write_atomically
from googlenet.language import tr
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import WeightsInfo, load_weights

FORMATS = {".onnx": "ONNX", ".pt2": "torch.export"}
ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4
OUTPUTS = ("probabilities", "logits")
Run = Callable[[Tensor], Sequence[Tensor]]  # probabilities and logits


@dataclass(frozen=True)
class Exported:
    """What was written. `difference` is the largest one between its logits and the original's, as a share of the
    largest logit."""

    path: Path
    format: str
    bytes: int
    difference: float


class Portable(nn.Module):
    """float32 images (N, C, H, W) in [0, 1] → probabilities and logits, both (N, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: GoogLeNet, info: WeightsInfo) -> None:
        super().__init__()
        self.network, self.temperature = network, info.temperature
        self.register_buffer("mean", torch.tensor(info.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(info.std)[:, None, None])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.network((images - self.mean) / self.std)
        return (logits / self.temperature).softmax(1), logits


def export_network(weights: Path | str, target: Path | str) -> Exported:
    """Write the network in the weights file `weights` to `target`, whose ending, .onnx or .pt2, is the format.

    Input: float32 `images` (N, C, H, W) in [0, 1], any N, at the network's size; outputs: `probabilities` and `logits`
    (N, classes). Class names go along: ONNX metadata `classes`, or the file extra `classes.json`, as a JSON list.
    Raises `LabError`, and writes nothing, for a file that is no weights file, another ending, packages that are missing
    and an export that does not answer as the original does; `OSError` where `target` cannot be written.
    """
    target = Path(target)
    if target.suffix not in FORMATS:
        raise LabError(tr("{name} must end in .onnx or .pt2: rename the target.", name=target.name), "target")
    onnx = target.suffix == ".onnx"
    if onnx:
        _check_onnx()
    network, info = load_weights(weights)
    if info.network.in_channels != 3:
        given = {"name": Path(weights).name, "n": info.network.in_channels}
        raise LabError(tr("{name} takes {n} channels: a picture has 3.", **given))
    model = Portable(network, info).eval()
    shape = (info.network.in_channels, info.network.input_size, info.network.input_size)
    with torch.no_grad():
        data, run = (_to_onnx if onnx else _to_pt2)(model, info, shape)
        difference = _difference(model, run, shape)
    if not difference <= TOLERANCE:  # a difference that is not a number is one too
        raise LabError(
            tr(
                "The {format} export of {name} does not answer as the original does (difference {difference:.1e}), so "
                "it was not written.",
                format=FORMATS[target.suffix],
                name=Path(weights).name,
                difference=difference,
            )
        )
    write_atomically(target, data)
    return Exported(target, FORMATS[target.suffix], len(data), difference)


def _difference(model: Portable, run: Run, shape: tuple[int, int, int]) -> float:
    """Over batches of other sizes than the one that was traced."""
    generator = torch.Generator().manual_seed(0)
    worst = torch.zeros(())
    for count in (1, 3):
        images = torch.rand(count, *shape, generator=generator)
        for ours, theirs in zip(model(images), run(images), strict=True):
            worst = torch.maximum(worst, (ours - theirs).abs().max() / ours.abs().max())  # keeps NaN
    return worst.item()


def _batches(shape: tuple[int, int, int]) -> tuple[tuple[Tensor], dict[str, dict[int, torch.export.Dim]]]:
    """An example to trace, and that its first side may be any."""
    return (torch.rand(2, *shape),), {"images": {0: torch.export.Dim("batch", min=1)}}


def _to_pt2(model: Portable, info: WeightsInfo, shape: tuple[int, int, int]) -> tuple[bytes, Run]:
    """The file's bytes, and what they answer when they are read again."""
    example, dynamic = _batches(shape)
    program = torch.export.export(model, example, dynamic_shapes=dynamic)
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={"classes.json": json.dumps(info.classes)})
    data = file.getvalue()
    return data, torch.export.load(io.BytesIO(data)).module()


def _to_onnx(model: Portable, info: WeightsInfo, shape: tuple[int, int, int]) -> tuple[bytes, Run]:
    """As `_to_pt2`."""
    import onnx
    import onnxruntime

    example, dynamic = _batches(shape)
    program = torch.onnx.export(
        model, example, dynamic_shapes=dynamic, input_names=["images"], output_names=OUTPUTS, dynamo=True, verbose=False
    )
    assert program is not None  # so it is with dynamo
    proto = program.model_proto
    onnx.helper.set_model_props(proto, {"classes": json.dumps(info.classes, ensure_ascii=False)})
    onnx.checker.check_model(proto)
    data = proto.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return data, lambda images: tuple(map(torch.from_numpy, session.run(OUTPUTS, {"images": images.numpy()})))


def _check_onnx() -> None:
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise LabError(
            tr(
                "Writing ONNX takes more packages: pip install {packages}, or write a .pt2, which takes none.",
                packages=" ".join(missing),
            ),
            "target",
        )
