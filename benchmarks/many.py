"""How long a thousand pictures take, beside what decoding and the network alone take in the same run.

    python -m benchmarks.many checkpoints/googlenet-cifar10.safetensors [--pictures 1000]

The pictures are the example pictures as small JPEGs, and as 12 megapixels with a camera's noise: 24 files of each kind,
read again and again. Decoding and network are each timed alone on one core, per picture; with n cores the floor of a
thousand is 1000 × (decoding + network) / n.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.examples import EXAMPLES
from googlenet.data.images import read_image
from googlenet.data.pictures import Pictures, find_pictures
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.many import CHUNK, classify_all, fine_enough
from googlenet.models.places import usable_cores

KINDS = {"small (500 × 375)": (500, 375), "photographs (4,000 × 3,000)": (4000, 3000)}
FILES = 24


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description="How long a thousand pictures take.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pictures", type=int, default=1000)
    options = parser.parse_args(arguments)
    classifier = Classifier(options.weights, "cpu")
    cores = usable_cores()
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in KINDS.items():
            files = draw(Path(folder) / str(size[0]), size)
            decoding, network = floors(classifier, files)
            torch.set_num_threads(cores)
            with find_pictures(files) as found:
                chosen = [found.found[index % FILES] for index in range(options.pictures)]
                used = time.process_time()
                answers = classify_all(classifier, Pictures(chosen), thumbnails=64)
                used = time.process_time() - used
            floor = options.pictures * (decoding + network) / cores
            megabytes = np.mean([file.stat().st_size for file in files]) / 1e6
            print(
                f"{options.pictures:,} {name}, {megabytes:.1f} MB each: {answers.seconds:.1f} s, {used:.1f} s of "
                f"processor time; a picture alone takes {1e3 * decoding:.1f} ms of decoding and {1e3 * network:.1f} ms "
                f"of the network, so the floor is {floor:.1f} s"
            )


def draw(folder: Path, size: tuple[int, int]) -> list[Path]:
    """`FILES` JPEGs of `size` (width, height)."""
    folder.mkdir()
    pictures, files = sorted(EXAMPLES.glob("*.jpg")), []
    for index in range(FILES):
        large = read_image(pictures[index % len(pictures)]).resize(size, Image.Resampling.BICUBIC)
        grain = np.random.default_rng(index).normal(0, 4, (size[1], size[0], 1)).astype(np.float32)
        files.append(folder / f"{index:02d}.jpg")
        Image.fromarray((np.asarray(large) + grain).clip(0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


def floors(classifier: Classifier, files: list[Path]) -> tuple[float, float]:
    """Seconds of processor time that a picture's decoding and its pass through the network take on one core."""
    torch.set_num_threads(1)
    started = time.process_time()
    seen = [classifier.fit(read_image(file.read_bytes(), at_least=fine_enough(classifier))) for file in files]
    decoding = (time.process_time() - started) / len(files)
    pixels = torch.stack([to_tensor(image) for image in seen[:CHUNK]])
    classifier.logits(pixels)
    started = time.process_time()
    for _ in range(4):
        classifier.logits(pixels)
    return decoding, (time.process_time() - started) / 4 / len(pixels)


if __name__ == "__main__":
    main()
