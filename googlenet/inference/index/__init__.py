"""What every channel of a network looks for: its strongest training images, its mean, and what is near your picture.

The room's face; it imports torch.
"""

from googlenet.inference.index.compute import compute_index, seconds_an_image
from googlenet.inference.index.images import TrainingImages, find_images
from googlenet.inference.index.index import Index, Top, index_path, load_index
from googlenet.inference.index.neighbours import Bank, Neighbour, load_bank, nearest, neighbours_path

__all__ = [
    "Bank",
    "Index",
    "Neighbour",
    "Top",
    "TrainingImages",
    "compute_index",
    "find_images",
    "index_path",
    "load_bank",
    "load_index",
    "nearest",
    "neighbours_path",
    "seconds_an_image",
]
