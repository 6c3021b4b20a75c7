"""GoogLeNet, to build, train and ask: `import googlenet` loads nothing heavy; each name loads its room when used."""

from importlib import import_module
from typing import Any

_HOMES = {
    "ConvBlock": "models.blocks",
    "InceptionNaive": "models.blocks",
    "Inception": "models.blocks",
    "AuxiliaryClassifier": "models.blocks",
    "GoogLeNet": "models.googlenet",
    "load_weights": "models.weights",
    "save_weights": "models.weights",
    "preset": "models.presets",
    "profile_module": "models.profile",
    "profile_network": "models.profile",
    "to_source": "models.formats.codegen",
    "export_network": "models.formats.export",
    "load_images": "data.datasets",
    "train": "training.session",
    "resume": "training.session",
    "compare_heads": "training.gradients",
    "Classifier": "inference.classifier",
    "evaluate": "inference.evaluate",
    "GoogLeNetConfig": "config",
    "InceptionConfig": "config",
    "LabError": "errors",
    "TrainConfig": "recipes",
    "make_train_config": "recipes",
}
__all__ = list(_HOMES)
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'googlenet' has no attribute {name!r}")
    return getattr(import_module(f"googlenet.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
