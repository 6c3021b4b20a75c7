"""Three ways to say which pixels an answer rests on. Each gives float32 (H, W): above 0 what speaks for it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.inference.classifier import Classifier
from googlenet.inference.explain.score import Progress, Target, judged
from googlenet.language import tr

FEWEST = 7  # places a side of the map that Grad-CAM weighs, where the network has such a map
STEPS = 12  # of the path from the baseline to the picture
BLUR = 8  # a baseline's blur: its standard deviation is the side over this


def baseline(pixels: Tensor) -> Tensor:
    """uint8 (3, H, W) → what is put in place of a part that is taken away: the picture, blurred until no form is left.

    A plain colour would be a form of its own: networks take a grey square for something (Fong and Vedaldi 2017).
    """
    return blurred(pixels.float(), pixels.shape[-1] / BLUR).round().byte()


def blurred(image: Tensor, sigma: float) -> Tensor:
    """(C, H, W) under a Gaussian of `sigma` pixels; edges are mirrored."""
    reach = min(int(2 * sigma) + 1, min(image.shape[1:]) - 1)
    place = torch.arange(-reach, reach + 1, dtype=torch.float32)
    bell = torch.exp(-(place**2) / (2 * sigma**2))
    bell = (bell / bell.sum()).repeat(image.shape[0], 1, 1, 1)
    across = F.conv2d(F.pad(image[None], (reach, reach, 0, 0), "reflect"), bell, groups=len(image))
    return F.conv2d(F.pad(across, (0, 0, reach, reach), "reflect"), bell.transpose(2, 3), groups=len(image))[0]


def occlusion(classifier: Classifier, pixels: Tensor, target: Target, progress: Progress | None = None) -> Tensor:
    """How much the score falls when a window over the pixel is taken away (Zeiler and Fergus 2014, section 4.2), and
    how much it rises when nothing but that window is there: means over such windows, each in a scale from -1 to 1.

    Taking away alone says little where a picture says the same twice. Windows are half the side, a quarter of it apart,
    and reach over the edge: of six choices tried on training images the best by deletion, and the cheapest.
    """
    height, width = pixels.shape[1:]
    window, step = max(2, width // 2), max(1, width // 4)
    gone = baseline(pixels)
    tops, lefts = (range(step - window, length, step) for length in (height, width))
    boxes = [(max(0, top), max(0, left), top + window, left + window) for top in tops for left in lefts]
    covered, alone = pixels.repeat(len(boxes), 1, 1, 1), gone.repeat(len(boxes), 1, 1, 1)
    for less, only, (top, left, bottom, right) in zip(covered, alone, boxes, strict=True):
        less[:, top:bottom, left:right] = gone[:, top:bottom, left:right]
        only[:, top:bottom, left:right] = pixels[:, top:bottom, left:right]
    pictures = torch.cat([pixels[None], gone[None], covered, alone])
    scores = target.score(judged(classifier, pictures, progress, tr("covering parts of the picture"), (0, 0.5)))
    falls, rises = scores[0] - scores[2 : 2 + len(boxes)], scores[2 + len(boxes) :] - scores[1]
    both = [_scaled(_spread(values, boxes, height, width)) for values in (falls, rises)]
    return blurred((both[0] + both[1])[None] / 2, step / 2)[0]


def _spread(values: Tensor, boxes: list[tuple[int, int, int, int]], height: int, width: int) -> Tensor:
    """(H, W): for each pixel the mean value of the boxes over it."""
    total, count = torch.zeros(height, width), torch.zeros(height, width)
    for value, (top, left, bottom, right) in zip(values, boxes, strict=True):
        total[top:bottom, left:right] += value
        count[top:bottom, left:right] += 1
    return total / count


def _scaled(values: Tensor) -> Tensor:
    """The largest size becomes 1."""
    return values / values.abs().max().clamp_min(1e-9)


def grad_cam(classifier: Classifier, pixels: Tensor, target: Target, progress: Progress | None = None) -> Tensor:
    """The maps of a late layer, each weighted by the score's mean gradient in it, summed and enlarged (Selvaraju et al.
    2017), negative parts kept. The layer is the last one of 7 × 7 places or more, else the last one that is largest.

    By the walk and not by captum's hooks: a hook would also hear what another visitor's picture does meanwhile.
    """
    from googlenet.inference.inside.trace import walk

    if progress:
        progress(0, tr("following the gradient"))
    with torch.enable_grad():
        x, layer, maps, most = classifier.prepared(pixels[None]).clone(), "", None, 0
        names = {one.name for one in classifier.info.network.layers}
        with torch.no_grad():
            for name, y in walk(classifier.model, x):
                places = min(FEWEST, *y.shape[-2:])  # more are no better: later layers know more
                if name in names and places >= most:
                    layer, maps, most = name, y, places
        assert maps is not None  # a network has a layer
        maps = maps.clone().requires_grad_()
        *_, (_, logits) = walk(classifier.model, maps.clone(), layer)  # a copy: ReLU works in place
        (gradient,) = torch.autograd.grad(target.score(logits / classifier.temperature).sum(), maps)
    cam = (gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).detach()
    return F.interpolate(cam, size=tuple(pixels.shape[1:]), mode="bilinear", align_corners=False)[0, 0].float().cpu()


def integrated_gradients(
    classifier: Classifier, pixels: Tensor, target: Target, progress: Progress | None = None
) -> Tensor:
    """The score's gradient along the straight path from the blurred picture to the picture, times the way (Sundararajan
    et al. 2017), by captum; summed over the colours. All pixels together come to the change of the score."""
    from captum.attr import IntegratedGradients

    if progress:
        progress(0, tr("following the gradient from the blurred picture"))
    image, start = (classifier.prepared(one[None]).clone() for one in (pixels, baseline(pixels)))
    method = IntegratedGradients(lambda x: target.score(classifier.model(x) / classifier.temperature))
    found = method.attribute(image, start, n_steps=STEPS, internal_batch_size=STEPS, method="gausslegendre")
    return found.detach()[0].sum(0).float().cpu()
