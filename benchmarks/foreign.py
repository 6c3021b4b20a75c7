"""Images of nothing that CIFAR-10 has: drawn by the program, made from CIFAR-10, or cut from photographs at hand."""

from __future__ import annotations

import importlib.util
import math
import random
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from googlenet.config import DATA_SIZE
from googlenet.data.images import fit_image, read_image
from googlenet.data.shapes import draw_shapes
from googlenet.errors import LabError

COUNT = 500  # of each drawn set
CROPS = 30  # of each photograph, the whole one among them

# Photographs that packages bring: those of the app's own requirements, and of scikit-image and scikit-learn where they
# are installed. Left out are pictures of a CIFAR-10 class, such as scikit-image's cat.
GRADIO, SKIMAGE = "gradio/media_assets/images/", "skimage/data/"
PICTURES = (
    *(GRADIO + name for name in ("groot.jpeg", "tower.jpg")),
    "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    *(SKIMAGE + f"{name}.png" for name in ("astronaut", "camera", "cell", "clock_motion", "coffee", "coins")),
    *(SKIMAGE + f"{name}.png" for name in ("ihc", "moon", "page", "text")),
    *(SKIMAGE + f"{name}.jpg" for name in ("hubble_deep_field", "retina")),
    *("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"),
)
# A bus is no automobile, a lion no cat: what people try first, and hardest to tell.
NEAR = (
    *(GRADIO + name for name in ("bus.png", "cheetah.jpg", "cheetah1.jpg", "lion.jpg")),
    *(SKIMAGE + name for name in ("motorcycle_left.png", "rocket.jpg")),
)
TEXTURES = tuple(SKIMAGE + f"{name}.png" for name in ("brick", "grass", "gravel"))
PHOTOGRAPHS, NEAR_PHOTOGRAPHS = "photographs of other things", "photographs near a class"
# Means over sets are those of these: what the benchmark calls far, as OpenOOD does. The others are listed beside them.
FAR = ("handwritten digits", "textures", "drawn shapes", "lines of text", PHOTOGRAPHS, "pixel noise")
DIGITS = "sklearn/datasets/data/digits.csv.gz"


def foreign_sets(cifar: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Sets by name, each uint8 (N, 3, 32, 32); `cifar` (N, 3, 32, 32) lends patches to one. Same seed, same pixels."""
    generator, chance = torch.Generator().manual_seed(seed), random.Random(seed)
    sets = {
        "drawn shapes": draw_shapes(0, COUNT, seed=seed + 1)[1].images,
        "pixel noise": torch.randint(0, 256, (COUNT, 3, DATA_SIZE, DATA_SIZE), generator=generator, dtype=torch.uint8),
        "plain colours": _bytes(torch.rand(COUNT, 3, 1, 1, generator=generator)).expand(-1, -1, DATA_SIZE, DATA_SIZE),
        "colour gradients": _gradients(generator),
        "lines of text": torch.stack([_text(chance) for _ in range(COUNT)]),
        "CIFAR-10 in shuffled patches": _shuffled(cifar[:COUNT], generator),
    }
    if digits := installed([DIGITS]):
        sets["handwritten digits"] = _digits(digits[0])
    if textures := installed(TEXTURES):
        sets["textures"] = crops(textures, chance)
    sets[PHOTOGRAPHS] = crops(installed(PICTURES), chance)
    sets[NEAR_PHOTOGRAPHS] = crops(installed(NEAR), chance)
    return sets


def unzipped(path: Path) -> list[Tensor]:
    """The choosing and the reporting half of a zip of 32×32 pictures in folders, each uint8 (N, 3, 32, 32).

    Every other picture by name: as many of each folder in both, and always the same ones.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".png"))
            images = [_tensor(fit_image(read_image(archive.read(name), name), DATA_SIZE)) for name in names]
    except (OSError, zipfile.BadZipFile) as error:
        raise LabError(f"{path} is no zip file that can be read: give one with PNG pictures in folders.") from error
    if len(images) < 2:
        raise LabError(f"{path} has no two PNG pictures: give one with pictures in folders.")
    return [torch.stack(images[start::2]) for start in (0, 1)]


def installed(names: tuple[str, ...] | list[str]) -> list[Path]:
    """Those of the files, named from their package on, that are on this machine; no package is imported."""
    found = []
    for name in names:
        package, _, rest = name.partition("/")
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (path := Path(spec.origin).parent / rest).is_file():
            found.append(path)
    return found


def crops(paths: list[Path], chance: random.Random) -> Tensor:
    """`CROPS` views of each picture: its centre square, then squares of 30% to 100% of its shorter side."""
    images = []
    for path in paths:
        picture = read_image(path)
        shorter = min(picture.size)
        images.append(fit_image(picture, DATA_SIZE))
        for _ in range(CROPS - 1):
            side = min(shorter, max(DATA_SIZE, int(shorter * chance.uniform(0.3, 1))))
            left, top = (chance.randint(0, length - side) for length in picture.size)
            images.append(fit_image(picture.crop((left, top, left + side, top + side)), DATA_SIZE))
    return torch.stack([_tensor(image) for image in images])


def _gradients(generator: torch.Generator) -> Tensor:
    """From one colour to another, at any angle."""
    start, end = torch.rand(2, COUNT, 3, 1, 1, generator=generator)
    angle = torch.rand(COUNT, 1, 1, 1, generator=generator) * 2 * math.pi
    axis = torch.linspace(-1, 1, DATA_SIZE)
    along = (angle.cos() * axis + angle.sin() * axis[:, None]) / math.sqrt(2)
    return _bytes(torch.lerp(start, end, (along + 1) / 2))


def _text(chance: random.Random) -> Tensor:
    """Letters of one size and colour on a plain page."""
    page = Image.new("RGB", (4 * DATA_SIZE, 4 * DATA_SIZE), _colour(chance))
    ink, size = _colour(chance), chance.randint(14, 60)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for top in range(chance.randint(-10, 20), page.height, int(1.2 * size)):
        line = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJ 0123456789", k=20))
        draw.text((chance.randint(-20, 10), top), line, ink, font)
    return _tensor(fit_image(page, DATA_SIZE))


def _colour(chance: random.Random) -> tuple[int, ...]:
    return tuple(chance.randrange(256) for _ in "rgb")


def _shuffled(images: Tensor, generator: torch.Generator) -> Tensor:
    """The sixteen 8×8 patches of each image, in another order."""
    count, side = len(images), DATA_SIZE // 4
    patches = images.unfold(2, side, side).unfold(3, side, side).reshape(count, 3, 16, side, side)
    order = torch.rand(count, 16, generator=generator).argsort(1)[:, None, :, None, None]
    mixed = patches.gather(2, order.expand_as(patches)).reshape(count, 3, 4, 4, side, side)
    return mixed.permute(0, 1, 2, 4, 3, 5).reshape(count, 3, DATA_SIZE, DATA_SIZE)


def _digits(path: Path) -> Tensor:
    """Dark on white, enlarged from 8×8."""
    values = np.loadtxt(path, delimiter=",", max_rows=COUNT)[:, :-1].reshape(-1, 8, 8)
    pages = (255 - values * 255 / 16).round().astype(np.uint8)
    return torch.stack([_tensor(fit_image(Image.fromarray(page).convert("RGB"), DATA_SIZE)) for page in pages])


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _bytes(values: Tensor) -> Tensor:
    return (values * 255).round().clamp(0, 255).byte()
