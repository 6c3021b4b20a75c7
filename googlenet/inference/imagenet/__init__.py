"""The 1,000-class GoogLeNet: torchvision's published ImageNet weights in the lab's own network."""

from googlenet.inference.imagenet.convert import FILE, convert
from googlenet.inference.imagenet.fetch import fetch

__all__ = ["FILE", "convert", "fetch"]
