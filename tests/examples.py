"""Where the shipped network and a picture are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "checkpoints" / "googlenet-cifar10.safetensors"
FROG = ROOT / "googlenet" / "ui" / "static" / "examples" / "frog.jpg"
