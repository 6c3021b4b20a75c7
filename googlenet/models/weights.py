"""A weights file: safetensors whose metadata says all that classifying needs, so that it can travel alone.

Tensors are stored under torchvision's names. No pickle is ever read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError, check_whole, is_number
from googlenet.files import read_bytes, write_atomically
from googlenet.language import mark, tr

if TYPE_CHECKING:  # a list of weights files is made from their descriptions alone, without torch
    import torch

    from googlenet.models.googlenet import GoogLeNet

FORMAT = "googlenet-lab-1"
MAX_RESIZE = 2048  # pixels
POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class WeightsInfo:
    """What a weights file knows of itself.

    `mean` and `std` are those of the input normalisation, per channel on images in [0, 1]. `facts` are for people:
    data, synthetic, recipe, run, epoch, metrics, versions; but `temperature` and `resize` are for the answers.
    """

    network: GoogLeNetConfig
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.classes) != self.network.num_classes:
            given = {"names": len(self.classes), "outputs": self.network.num_classes}
            raise LabError(tr("{names} class names cannot label {outputs} outputs.", **given), "classes")
        numbers = [*self.mean, *self.std]
        if len(self.mean) != 3 or len(self.std) != 3 or not all(map(math.isfinite, numbers)) or min(self.std) <= 0:
            raise LabError(tr("A normalisation has three means and three standard deviations above 0."), "std")
        if len(set(self.classes)) != len(self.classes):
            twice = next(name for name, n in Counter(self.classes).items() if n > 1)
            said = tr("Two classes are called {name!r}: each needs a name of its own.", name=twice[:40])
            raise LabError(said, "classes")
        if (resize := self.facts.get("resize")) is not None:
            check_whole(resize, "resize", self.network.input_size, MAX_RESIZE)

    @property
    def temperature(self) -> float:
        """What logits are divided by before they become probabilities (Guo et al. 2017); 1 where none was fitted.

        A file from anywhere may say anything: what is no usable number counts as not said.
        """
        fact = self.facts.get("temperature")
        return float(fact) if is_number(fact, 0.01, 100) else 1.0

    @property
    def resize(self) -> int | None:
        """What a picture's shorter side is scaled to before the centre is cut out; None: to the input size itself."""
        fact = self.facts.get("resize")
        return None if fact is None else int(fact)

    def to_metadata(self) -> dict[str, str]:
        """safetensors metadata: strings only."""
        plain = {"network": self.network.to_dict(), "classes": self.classes, "mean": self.mean, "std": self.std}
        return {"format": FORMAT, **{key: json.dumps(value) for key, value in {**plain, "facts": self.facts}.items()}}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str] | None, name: str) -> WeightsInfo:
        """Read what `to_metadata` wrote; `LabError` naming the file otherwise."""
        if not metadata or metadata.get("format") != FORMAT:
            said = mark("{name} was not written by this lab: it does not say which network and classes it is for.")
            raise LabError(tr(said, name=name))
        try:
            plain = {key: json.loads(metadata[key]) for key in ("network", "classes", "mean", "std", "facts")}
            network = GoogLeNetConfig.from_dict(plain["network"])
            mean, std = (tuple(float(value) for value in plain[key]) for key in ("mean", "std"))
            classes = tuple(str(label) for label in plain["classes"])
            return cls(network, classes, mean, std, dict(plain["facts"]))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            why = str(error).rstrip(".")
            raise LabError(tr("The description inside {name} cannot be read ({why}).", name=name, why=why)) from error


def save_weights(path: Path, model: GoogLeNet, info: WeightsInfo, *, half: bool = False) -> None:
    """Write `model` and `info` to `path`, whole or not at all; raises `OSError` when that cannot be done.

    `half` stores matrices and filters as float16, at half the size; vectors (biases, batch norm) stay float32.
    """
    import torch
    from safetensors.torch import save

    tensors = {}
    for name, tensor in model.state_dict().items():
        small = half and tensor.dim() > 1
        tensors[name] = tensor.detach().to("cpu", torch.float16 if small else tensor.dtype).contiguous()
    write_atomically(path, save(tensors, metadata=info.to_metadata()))


def read_info(path: Path) -> WeightsInfo:
    """The description inside the weights file at `path`, without its tensors."""
    with _complete(path), safe_open(path, framework="np") as file:
        metadata = file.metadata()
    return WeightsInfo.from_metadata(metadata, path.name)


@contextlib.contextmanager
def _complete(path: Path) -> Iterator[None]:
    """`LabError` for what safetensors says of a file that is not there, cut short or something else."""
    try:
        yield
    except FileNotFoundError as error:
        raise LabError(tr("There is no weights file {path}.", path=path)) from error
    except (SafetensorError, OSError, ValueError) as error:
        if read_bytes(path, limit=len(POINTER)) == POINTER:
            said = tr("{name} is a Git LFS pointer, not the weights: run git lfs pull.", name=path.name)
            raise LabError(said) from error
        raise LabError(tr("{name} is not a complete safetensors file.", name=path.name)) from error


def add_facts(path: Path, target: Path | None = None, **facts: Any) -> None:
    """Write `facts` into the description of the weights file at `path`, or of a copy of it at `target`.

    A fact that is None is taken out. The tensors stay as they are, to the bit.
    """
    from safetensors.torch import load_file, save

    info = read_info(path)
    described = {key: value for key, value in {**info.facts, **facts}.items() if value is not None}
    with _complete(path):
        tensors = load_file(path)
    write_atomically(target or path, save(tensors, metadata=dataclasses.replace(info, facts=described).to_metadata()))


def load_weights(path: Path | str, device: torch.device | str = "cpu") -> tuple[GoogLeNet, WeightsInfo]:
    """The network in the file at `path`, in float32, evaluation mode, on `device`; and what the file says of it."""
    import torch
    from safetensors.torch import load_file

    from googlenet.models.googlenet import GoogLeNet

    path = Path(path)
    info = read_info(path)
    with _complete(path):
        tensors = load_file(path)
    tensors = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    # On "meta" a description, however large, allocates nothing: the file's tensors are taken as they are.
    with torch.device("meta"):
        model = GoogLeNet(info.network)
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        why = {"name": path.name, "why": _first(error)}
        raise LabError(tr("The weights in {name} do not fit the network it describes ({why}).", **why)) from error
    return model.to(device).eval(), info


def _first(error: Exception) -> str:
    """The first particular of torch's many-line message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[min(1, len(lines) - 1)][:160].rstrip(".")
