"""Draw the example pictures that Classify offers, and ask a network about them.

    python -m benchmarks.examples checkpoints/googlenet-cifar10.safetensors [--write FOLDER]

Each is 256×256, drawn four times as large and shrunk, with a camera's noise. Without --write nothing is changed: it
prints what the network says of the pictures that ship.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE, FINE = 256, 4
EXAMPLES = Path(__file__).parents[1] / "googlenet" / "ui" / "static" / "examples"
Colour = tuple[int, int, int]
Point = tuple[float, float]


class Canvas:
    """A picture drawn in coordinates from 0 to 256."""

    def __init__(self, ground: np.ndarray, blur: float = 0.0) -> None:
        image = Image.fromarray(ground.clip(0, 255).astype(np.uint8)).resize((SIZE * FINE, SIZE * FINE))
        self.image = image.filter(ImageFilter.GaussianBlur(blur * FINE)) if blur else image
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: list[Point], colour: Colour) -> None:
        self.pen.polygon([(x * FINE, y * FINE) for x, y in points], fill=colour)

    def oval(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.pen.ellipse((left * FINE, top * FINE, right * FINE, bottom * FINE), fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.pen.rectangle((left * FINE, top * FINE, right * FINE, bottom * FINE), fill=colour)

    def line(self, points: list[Point], colour: Colour, width: float) -> None:
        self.pen.line([(x * FINE, y * FINE) for x, y in points], fill=colour, width=int(width * FINE), joint="curve")

    def smile(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        left, top, right, bottom = (edge * FINE for edge in box)
        self.pen.arc((left, top, right, bottom), 15, 165, fill=colour, width=3 * FINE)

    def soften(self, blur: float) -> None:
        """What was drawn so far lies out of focus."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(blur * FINE / 4))
        self.pen = ImageDraw.Draw(self.image)

    def photograph(self, noise: float = 5, blur: float = 0.6) -> Image.Image:
        """Shrunk, a little soft, with noise."""
        small = self.image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(blur))
        grain = np.random.default_rng(0).normal(0, noise, (SIZE, SIZE, 1))
        return Image.fromarray((np.asarray(small, float) + grain).clip(0, 255).astype(np.uint8))


def fade(top: Colour, bottom: Colour, height: int = SIZE) -> np.ndarray:
    """(height, 256, 3), from one colour to another."""
    share = np.linspace(0, 1, height)[:, None, None]
    return np.repeat(np.array(top) * (1 - share) + np.array(bottom) * share, SIZE, 1)


def blotches(seed: int, cells: int, strength: float) -> np.ndarray:
    """(256, 256, 1) soft light and dark."""
    values = np.random.default_rng(seed).normal(0, 1, (cells, cells)).astype(np.float32)
    return strength * np.asarray(Image.fromarray(values).resize((SIZE, SIZE), Image.Resampling.BICUBIC))[..., None]


def ship() -> Image.Image:
    a = fade((120, 165, 215), (215, 228, 240))
    rng = np.random.default_rng(1)
    sea = np.linspace(0, 1, SIZE - 160)[:, None, None]
    a[160:] = np.array((70, 110, 145)) * (1 - sea) + np.array((25, 55, 90)) * sea
    a[160:] += np.repeat(rng.normal(0, 10, (SIZE - 160, SIZE // 4, 1)), 4, 1)
    c = Canvas(a)
    c.box(70, 118, 190, 140, (240, 240, 238))
    c.box(85, 100, 170, 120, (235, 235, 232))
    c.box(100, 84, 150, 102, (245, 245, 243))
    c.box(112, 60, 130, 88, (190, 50, 40))
    c.box(112, 60, 130, 66, (30, 30, 30))
    c.line([(160, 100), (160, 62)], (90, 90, 90), 1.5)
    c.line([(92, 100), (92, 70)], (90, 90, 90), 1.5)
    for x in range(78, 186, 9):
        c.box(x, 124, x + 4, 129, (50, 70, 90))
    for x in range(92, 166, 9):
        c.box(x, 106, x + 4, 111, (50, 70, 90))
    c.polygon([(28, 138), (232, 138), (212, 172), (46, 172)], (35, 45, 70))
    c.polygon([(43, 164), (218, 164), (212, 174), (46, 174)], (140, 40, 35))
    c.line([(28, 138), (232, 138)], (235, 235, 235), 2)
    for x in range(30, 225, 6):
        c.oval(x, 170, x + 14, 176, (200, 215, 225))
    return c.photograph()


def airplane() -> Image.Image:
    a = fade((70, 125, 200), (170, 205, 235))
    c = Canvas(a)
    c.oval(20, 170, 130, 200, (225, 235, 245))
    c.oval(60, 160, 170, 198, (232, 240, 248))
    c.soften(6)
    c.polygon([(150, 120), (196, 60), (212, 62), (182, 122)], (165, 172, 182))
    c.polygon([(36, 112), (22, 72), (40, 72), (66, 110)], (60, 90, 150))
    c.oval(30, 102, 232, 142, (238, 240, 243))
    c.polygon([(30, 114), (18, 108), (60, 104)], (238, 240, 243))
    c.oval(34, 122, 226, 142, (190, 196, 205))
    c.box(60, 114, 200, 122, (238, 240, 243))
    c.polygon([(128, 128), (86, 194), (104, 196), (172, 130)], (200, 206, 214))
    c.polygon([(44, 120), (24, 140), (36, 142), (64, 124)], (190, 196, 205))
    c.oval(112, 150, 138, 164, (120, 128, 140))
    for x in range(64, 206, 8):
        c.oval(x, 114, x + 4, 119, (50, 70, 100))
    c.polygon([(214, 112), (226, 116), (224, 121), (210, 119)], (40, 55, 80))
    return c.photograph(3)


def truck() -> Image.Image:
    a = fade((150, 185, 220), (225, 232, 238))
    a[178:] = np.array((110, 110, 112))
    a[150:178] = np.array((95, 120, 80))
    c = Canvas(a)
    c.box(24, 62, 166, 176, (240, 240, 240))
    c.box(24, 62, 166, 72, (205, 205, 208))
    c.box(24, 150, 166, 158, (190, 50, 45))
    c.polygon([(170, 94), (206, 94), (230, 132), (234, 176), (170, 176)], (195, 45, 40))
    c.polygon([(180, 102), (203, 102), (222, 134), (180, 134)], (60, 80, 100))
    c.box(20, 174, 238, 186, (50, 50, 55))
    c.box(226, 158, 238, 166, (250, 240, 190))
    for x in (40, 78, 186):
        c.oval(x, 164, x + 38, 202, (25, 25, 28))
        c.oval(x + 10, 174, x + 28, 192, (165, 165, 170))
    c.oval(24, 196, 236, 212, (80, 80, 82))
    return c.photograph()


def automobile() -> Image.Image:
    a = fade((150, 190, 225), (230, 235, 240))
    a[120:165] = np.array((90, 125, 75))
    a[165:] = np.array((120, 120, 122))
    c = Canvas(a)
    c.oval(24, 186, 236, 210, (70, 70, 72))
    c.polygon(
        [
            (20, 186),
            (20, 150),
            (34, 140),
            (70, 132),
            (96, 100),
            (168, 98),
            (200, 132),
            (230, 140),
            (238, 160),
            (238, 186),
        ],
        (190, 30, 35),
    )
    c.polygon([(80, 132), (100, 106), (130, 105), (130, 132)], (60, 85, 110))
    c.polygon([(136, 132), (136, 105), (164, 105), (188, 132)], (60, 85, 110))
    c.line([(133, 104), (133, 182)], (120, 15, 20), 1.5)
    c.line([(22, 158), (238, 158)], (150, 20, 25), 2)
    c.box(20, 176, 238, 186, (60, 15, 18))
    c.oval(224, 146, 238, 158, (250, 245, 210))
    c.box(20, 150, 28, 160, (255, 120, 60))
    c.box(140, 142, 152, 145, (230, 230, 230))
    for x in (42, 174):
        c.oval(x, 162, x + 44, 206, (22, 22, 25))
        c.oval(x + 11, 173, x + 33, 195, (180, 180, 185))
        c.oval(x + 18, 180, x + 26, 188, (90, 90, 95))
    return c.photograph()


def frog() -> Image.Image:
    a = np.zeros((SIZE, SIZE, 3)) + np.array((88, 70, 48))
    a += blotches(3, 32, 14)
    c = Canvas(a)
    green = (98, 150, 52)
    dark = (70, 115, 38)
    light = (140, 185, 80)
    c.oval(40, 180, 220, 222, (50, 40, 28))
    c.oval(20, 120, 100, 205, dark)
    c.oval(156, 120, 236, 205, dark)
    c.oval(58, 96, 198, 208, green)
    c.oval(86, 150, 170, 206, (200, 205, 140))
    c.oval(58, 60, 198, 150, green)
    c.oval(62, 40, 106, 88, green)
    c.oval(150, 40, 194, 88, green)
    c.oval(68, 46, 100, 80, (225, 190, 60))
    c.oval(156, 46, 188, 80, (225, 190, 60))
    c.oval(76, 52, 94, 74, (15, 15, 12))
    c.oval(162, 52, 180, 74, (15, 15, 12))
    c.smile((78, 80, 178, 132), (45, 75, 25))
    c.oval(112, 88, 117, 93, (45, 75, 25))
    c.oval(139, 88, 144, 93, (45, 75, 25))
    for x, y in ((84, 104), (170, 108), (100, 74), (128, 66), (152, 80), (60, 150), (196, 150)):
        c.oval(x, y, x + 12, y + 9, dark)
    for x in (52, 182):
        c.oval(x - 14, 198, x + 34, 214, dark)
    c.line([(92, 150), (84, 205)], dark, 12)
    c.line([(164, 150), (172, 205)], dark, 12)
    c.oval(68, 198, 104, 212, light)
    c.oval(152, 198, 188, 212, light)
    return c.photograph(7, 0.8)


def bird() -> Image.Image:
    a = fade((120, 150, 100), (165, 180, 125))
    a += blotches(5, 10, 14)
    c = Canvas(a, blur=2)
    c.line([(0, 206), (256, 186)], (85, 62, 42), 10)
    c.polygon([(70, 150), (18, 196), (30, 206), (96, 172)], (70, 52, 40))
    c.oval(62, 92, 178, 190, (150, 100, 60))
    c.oval(96, 110, 182, 192, (205, 110, 60))
    c.oval(100, 150, 170, 194, (225, 215, 200))
    c.polygon([(70, 110), (130, 112), (120, 168), (46, 182)], (95, 68, 48))
    c.line([(72, 124), (56, 176)], (60, 45, 32), 2)
    c.line([(92, 122), (74, 176)], (60, 45, 32), 2)
    c.oval(132, 62, 196, 122, (110, 78, 54))
    c.oval(152, 76, 196, 124, (215, 115, 60))
    c.polygon([(192, 84), (216, 92), (192, 100)], (60, 55, 45))
    c.oval(166, 80, 178, 92, (10, 10, 10))
    c.oval(170, 82, 173, 85, (240, 240, 240))
    c.line([(128, 188), (128, 200)], (80, 60, 45), 3)
    c.line([(142, 188), (144, 198)], (80, 60, 45), 3)
    return c.photograph(4, 0.8)


def deer() -> Image.Image:
    rng = np.random.default_rng(6)
    a = fade((150, 165, 140), (110, 135, 70))
    a += blotches(6, 16, 12)
    a[170:] = np.array((120, 130, 60)) + rng.normal(0, 14, (SIZE - 170, SIZE, 1))
    c = Canvas(a, blur=1)
    coat = (160, 110, 65)
    shade = (120, 80, 45)
    for x in (72, 92, 150, 166):
        c.line([(x, 150), (x + 2, 215)], shade if x in (92, 150) else coat, 9)
    c.oval(56, 100, 184, 164, coat)
    c.polygon([(150, 120), (184, 60), (206, 66), (184, 140)], coat)
    c.polygon([(182, 56), (206, 52), (234, 76), (230, 86), (204, 82)], coat)
    c.polygon([(186, 56), (172, 46), (192, 50)], shade)
    c.oval(224, 76, 234, 84, (30, 25, 20))
    c.oval(202, 60, 208, 66, (15, 10, 8))
    c.line([(190, 54), (180, 26), (168, 14)], (95, 70, 45), 3.5)
    c.line([(182, 32), (194, 16)], (95, 70, 45), 3)
    c.line([(198, 52), (202, 24), (216, 10)], (95, 70, 45), 3.5)
    c.line([(202, 30), (190, 8)], (95, 70, 45), 3)
    c.oval(50, 108, 66, 132, (235, 230, 215))
    c.oval(80, 138, 160, 164, (195, 160, 120))
    return c.photograph(5, 0.8)


DRAWN = (ship, airplane, automobile, truck, frog, bird, deer)


def main(arguments: list[str] | None = None) -> None:
    """Draw them where that is asked for, and print what the network says."""
    parser = argparse.ArgumentParser(description="Draw the example pictures, and ask a network about them.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="draw them into this folder first")
    options = parser.parse_args(arguments)
    from googlenet.inference.classifier import Classifier

    classifier, folder = Classifier(options.weights, "cpu"), options.write or EXAMPLES
    if options.write:
        folder.mkdir(parents=True, exist_ok=True)
        for draw in DRAWN:
            draw().save(folder / f"{draw.__name__}.jpg", quality=85)
    for path in sorted(folder.glob("*.jpg")):
        answer = classifier.answer(path)
        name, share = next(iter(answer.probabilities.items()))
        doubt = " (looks like no class)" if answer.novelty and answer.novelty.unlike_training else ""
        print(f"{path.name:<16} {path.stat().st_size / 1000:4.0f} kB  {name} {share:.1%}{doubt}")


if __name__ == "__main__":
    main()
