"""The learning rate over a training, from the function that the trainer asks at each step."""

from __future__ import annotations

from dataclasses import dataclass

from googlenet.recipes import TrainConfig

MAX_POINTS = 240


@dataclass(frozen=True)
class RateCurve:
    """`points` are (epochs done, rate), first and last step and the peak among them; `peak` is such a point."""

    points: tuple[tuple[float, float], ...]
    peak: tuple[float, float]


def rate_curve(config: TrainConfig, steps_per_epoch: int) -> RateCurve:
    """The rates of the training's steps, `MAX_POINTS` of them where there are more."""
    from googlenet.training.optim import learning_rate  # imports torch

    steps = steps_per_epoch * config.epochs
    looked_at = {round(n * (steps - 1) / (MAX_POINTS - 1)) for n in range(MAX_POINTS)} if steps > 1 else {0}
    turn = round(config.warmup * steps)  # the highest rate is at one of these
    looked_at |= {step for step in range(turn - 2, turn + 3) if 0 <= step < steps}
    points = tuple((step / steps_per_epoch, learning_rate(config, step, steps)) for step in sorted(looked_at))
    return RateCurve(points, max(points, key=lambda point: point[1]))
