"""Shapes, parameters and multiply-adds of a module or a network, by arithmetic alone.

A slider drag asks sixty times a second, so nothing here builds a torch module or imports torch; the tests hold every
figure against torch's own. What is counted:

* parameters: weights, plus biases, plus the scale and shift of batch norm (its running statistics are not trained);
* multiply-adds of ONE image: kernel² · channels in · channels out · height · width of each convolution, and of linear
  layers with all those sizes 1. The paper's "ops" are these. Pools, norms, biases and activations count 0;
* activation memory: float32 bytes of every row's output for the whole batch, as if all were kept.

Activations and dropout change no shape and carry no parameters, so they have no row; batch norm is part of its
convolution's row.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from googlenet.config import MAX_BATCH, MAX_SIZE, ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig, Problem
from googlenet.errors import LabError, check_whole
from googlenet.language import mark, tr
from googlenet.models.profile.rows import AUX_WINDOW, Row, Shape, Table

COUNTING = mark(
    "Multiply-adds are for one image: kernel² × channels in × channels out × height × width; pools, norms, biases and "
    "activations count 0. Parameters include biases and batch norm's scale and shift."
)


@dataclass(frozen=True)
class Totals:
    """What some rows come to, and the shape (C, H, W) that leaves the last of them."""

    params: int
    macs: int
    activation_bytes: int
    out_shape: Shape


@dataclass(frozen=True)
class Profile:
    """All rows in the order they run, for a batch of `batch` images of `in_shape` (C, H, W).

    `params` counts the auxiliary heads, as they are in the model; `macs` and `activation_bytes` are those of
    classifying, which does not run them.
    """

    rows: tuple[Row, ...]
    batch: int
    in_shape: Shape
    out_shape: Shape

    @functools.cached_property
    def params(self) -> int:
        """Trained numbers, auxiliary heads included: torch's sum(p.numel() for p in model.parameters())."""
        return sum(row.params for row in self.rows)

    @functools.cached_property
    def macs(self) -> int:
        """Multiply-adds to classify one image."""
        return sum(row.macs for row in self.rows if not row.aux)

    @functools.cached_property
    def activation_bytes(self) -> int:
        """Bytes of every output of a batch, auxiliary heads left out."""
        return sum(row.activation_bytes for row in self.rows if not row.aux)

    @property
    def aux_params(self) -> int:
        """The auxiliary heads' part of `params`."""
        return sum(row.params for row in self.rows if row.aux)

    @property
    def aux_macs(self) -> int:
        """Multiply-adds that the auxiliary heads add to one image in training."""
        return sum(row.macs for row in self.rows if row.aux)

    def by_branch(self) -> dict[str, Totals]:
        """Totals per branch (1×1, 3×3, 5×5, pool), without stem, concatenations and head."""
        return self._branches

    @functools.cached_property
    def _branches(self) -> dict[str, Totals]:
        return _totals((row.branch, row) for row in self.rows if row.branch)

    def by_layer(self) -> dict[str, Totals]:
        """Totals per layer of the network (conv1, inception3a, fc, aux1), in order."""
        return _totals((row.layer, row) for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: totals, the rows, and what is counted."""
        names = ("in_shape", "out_shape", "batch", "params", "macs", "activation_bytes", "aux_params", "aux_macs")
        rows = [{**dataclasses.asdict(row), "padding_share": row.padding_share} for row in self.rows]
        return {**{name: getattr(self, name) for name in names}, "counting": COUNTING, "rows": rows}


def profile_module(
    config: InceptionConfig, height: int, width: int, batch: int = 1, *, batch_norm: bool = False
) -> Profile:
    """One Inception module on a (batch, config.in_channels, height, width) input.

    Raises `LabError` for a height or width outside 1–1024 or a batch outside 1–4096.
    """
    height, width, batch = _check_input(height, width, batch)
    in_shape = (config.in_channels, height, width)
    table = Table(batch, batch_norm)
    out_shape = table.inception(config, in_shape)
    return Profile(tuple(table.rows), batch, in_shape, out_shape)


def profile_network(
    config: GoogLeNetConfig, height: int | None = None, width: int | None = None, batch: int = 1
) -> Profile:
    """A whole network on a (batch, config.in_channels, height, width) input; `config.input_size` where a side is None.

    Raises `LabError` for channels that do not meet, for an input out of range, too small for one of the layers, or of
    other size than a network without average pool was built for.
    """
    profile, problems = profile_partly(config, height, width, batch)
    if problems:
        raise LabError(problems[0].sentence, problems[0].layer)
    size = (config.input_size, config.input_size)
    if profile.in_shape[1:] != size and (config.aux or not config.average_pool):
        _check_linear(profile, profile_network(config))
    return profile


def profile_partly(
    config: GoogLeNetConfig, height: int | None = None, width: int | None = None, batch: int = 1
) -> tuple[Profile, list[Problem]]:
    """A network that need not fit together: its rows up to the first layer that does not, and what is wrong with it.

    The channels' problems are those of the whole network, in its order; the map's, too small for a layer or a head,
    come after them. A head that does not fit only lacks its own rows. Raises `LabError` for an input out of range.
    """
    height, width, batch = _check_input(
        config.input_size if height is None else height, config.input_size if width is None else width, batch
    )
    shape = in_shape = (config.in_channels, height, width)
    table = Table(batch, config.batch_norm)
    problems = config.problems()
    broken = {problem.layer for problem in problems}
    for layer in config.layers:
        if layer.name in broken:
            break
        try:
            shape = table.layer(layer, shape)
        except LabError as error:
            window = layer.kernel - 2 * layer.padding if isinstance(layer, (ConvConfig, PoolConfig)) else 1
            problems.append(Problem(layer.name, "input_size", window, min(shape[1:]), str(error)))
            break
        for head in config.aux:
            if head.after != layer.name or head.name in broken:
                continue
            try:
                table.aux_head(head, shape, config.num_classes)
            except LabError as error:
                problems.append(Problem(head.name, "adaptive", AUX_WINDOW, min(shape[1:]), str(error)))
    else:
        shape = table.head(config, shape)
    return Profile(tuple(table.rows), batch, in_shape, shape), problems


def _check_input(height: Any, width: Any, batch: Any) -> tuple[int, int, int]:
    return (
        check_whole(height, "height", 1, MAX_SIZE),
        check_whole(width, "width", 1, MAX_SIZE),
        check_whole(batch, "batch", 1, MAX_BATCH),
    )


def _check_linear(profile: Profile, built: Profile) -> None:
    """Raise `LabError` where more or fewer features reach a linear layer than the network was `built` with."""
    for row, expected in zip(profile.rows, built.rows, strict=True):
        if row.label == "linear" and row.in_channels != expected.in_channels:
            raise LabError(
                tr(
                    "{layer} takes {wanted:,} features, what {built} images give, but {size} images give {given:,}: "
                    "use {built} images.",
                    layer=row.name,
                    wanted=expected.in_channels,
                    built=_size(built),
                    size=_size(profile),
                    given=row.in_channels,
                )
            )


def _size(profile: Profile) -> str:
    return f"{profile.in_shape[1]}×{profile.in_shape[2]}"


def _totals(keyed: Iterable[tuple[str, Row]]) -> dict[str, Totals]:
    groups: dict[str, list[Row]] = {}
    for key, row in keyed:
        groups.setdefault(key, []).append(row)
    return {
        key: Totals(
            sum(row.params for row in rows),
            sum(row.macs for row in rows),
            sum(row.activation_bytes for row in rows),
            rows[-1].out_shape,
        )
        for key, rows in groups.items()
    }
