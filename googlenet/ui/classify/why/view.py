"""An explanation as HTML: the map over the picture, in words what it says, and how far it can be trusted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.language import mark, tr
from googlenet.ui.common import figures
from googlenet.ui.common.pictures import data_uri, jpeg_uri
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from PIL import Image

    from googlenet.inference.explain import Explanation, Trust

LARGEST = 640  # pixels of a side: what is sent of a photograph
QUARTER = 2  # the point of the curves at which a quarter of the picture is gone
NAMES = {
    "occlusion": mark("Occlusion"),
    "grad-cam": mark("Grad-CAM"),
    "integrated gradients": mark("Integrated gradients"),
}
TITLES = {
    "occlusion": mark("Occlusion: a window is covered, then all but it (Zeiler and Fergus 2014)"),
    "grad-cam": mark("Grad-CAM: the last maps, weighted by their gradients (Selvaraju et al. 2017)"),
    "integrated gradients": mark("Integrated gradients from the blurred picture (Sundararajan et al. 2017), by captum"),
}


def explanation_html(found: Explanation, resize: int | None) -> Markup:
    """All about one explanation; `resize` is what the network's pictures are scaled to before they are cropped."""
    from googlenet.inference.explain.draw import heat_map  # imports torch

    return render(
        "classify/why/explanation.html",
        found=found,
        what=what(found),
        picture=_jpeg(found.picture),
        map=data_uri(heat_map(found.values)),
        crop=crop_of(found.picture.size, found.seen.size, resize),
        method=tr(TITLES[found.method]),
        words=trust_words(found.trust, what(found)) if found.trust else [],
        charts=_charts(found.trust) if found.trust else [],
    )


def what(found: Explanation) -> str:
    """ "cat", or "cat rather than dog"."""
    if not found.against:
        return found.target
    return tr("{name} rather than {other}", name=found.target, other=found.against)


def crop_of(picture: tuple[int, int], seen: tuple[int, int], resize: int | None) -> dict[str, float]:
    """Where on the picture (width, height) the network's square lies, in percent of the picture."""
    width, height = picture
    scale = min(width, height) / (resize or min(seen))
    across, down = min(100.0, 100 * seen[0] * scale / width), min(100.0, 100 * seen[1] * scale / height)
    return {"left": (100 - across) / 2, "top": (100 - down) / 2, "width": across, "height": down}


def trust_words(trust: Trust, name: str) -> list[str]:
    """What the curves say of this picture, in sentences."""
    left = [figures.percent(curve[QUARTER], 1) for curve in (trust.deletion, trust.random_deletion)]
    shown = [figures.percent(curve[QUARTER], 1) for curve in (trust.insertion, trust.random_insertion)]
    words = [
        tr(
            "Blurring the quarter that counts most takes {name} from {all} to {left}; "
            "blurring a quarter at random leaves {random}.",
            name=name, all=figures.percent(trust.deletion[0], 1), left=left[0], random=left[1],
        ),
        tr(
            "Of a blurred picture, showing that quarter gives {name} {shown}; showing a random quarter {random}.",
            name=name, shown=shown[0], random=shown[1],
        ),
    ]  # fmt: skip
    areas = trust.areas
    holds = areas["deletion"] < areas["random_deletion"], areas["insertion"] > areas["random_insertion"]
    if all(holds):
        words.append(tr("So the map holds for this picture: it does better than chance both ways."))
    elif any(holds):
        words.append(tr("So trust it half: it does better than chance one way only."))
    else:
        words.append(tr("So do not trust the map here: chance does as well."))
    return words


def _charts(trust: Trust) -> list[dict[str, object]]:
    """Two small charts: what is drawn is the share along the way, with its area and that of the random orders."""
    areas = trust.areas
    pairs = ((tr("Taken away"), "deletion", True), (tr("Let appear"), "insertion", False))
    return [
        {
            "title": title,
            "lower": lower,  # is better
            "map": _line(getattr(trust, name)),
            "random": _line(getattr(trust, f"random_{name}")),
            "area": areas[name],
            "random_area": areas[f"random_{name}"],
        }
        for title, name, lower in pairs
    ]


def _line(curve: tuple[float, ...]) -> str:
    """Points of an SVG 200 wide and 100 high."""
    return " ".join(f"{200 * at / (len(curve) - 1):.1f},{100 - 100 * share:.1f}" for at, share in enumerate(curve))


def _jpeg(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((LARGEST, LARGEST))
    if max(small.size) < 64:  # pixels as they are
        return data_uri(small)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88)
    return jpeg_uri(buffer.getvalue())
