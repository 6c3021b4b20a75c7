"""What every channel of a network looks for: its strongest training images, its mean, and what is near your picture.

The room's face; it imports torch.
"""

from googlenet.inference.index.compute import compute_index
from googlenet.inference.index.index import Index, Top, index_path, load_index

__all__ = ["Index", "Top", "compute_index", "index_path", "load_index"]
