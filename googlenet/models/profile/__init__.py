"""What a module or a network costs, by arithmetic alone: shapes, parameters and multiply-adds."""

from googlenet.models.profile.profile import (
    BRANCHES,
    COUNTING,
    FLOAT32_BYTES,
    MAX_SIZE,
    Profile,
    Row,
    Shape,
    Totals,
    profile_module,
    profile_network,
    profile_partly,
)

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
