"""What a module or a network costs, by arithmetic alone: shapes, parameters and multiply-adds."""

from googlenet.config import MAX_SIZE
from googlenet.models.profile.profile import COUNTING, Profile, Totals, profile_module, profile_network, profile_partly
from googlenet.models.profile.rows import BRANCHES, FLOAT32_BYTES, Row, Shape

__all__ = [
    "BRANCHES",
    "COUNTING",
    "FLOAT32_BYTES",
    "MAX_SIZE",
    "Profile",
    "Row",
    "Shape",
    "Totals",
    "profile_module",
    "profile_network",
    "profile_partly",
]
