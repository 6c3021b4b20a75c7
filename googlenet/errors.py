"""How a value is refused: in one sentence, and with the name of the setting at fault.

Nothing here imports torch, so a form can be checked without waiting for it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeGuard

from googlenet.language import mark, tr

RUN_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Settings whose name in code is not what people read beside the field; in other names underscores become spaces.
# A layer's fields keep torchvision's words, which the page shows too: "inception3a pool_proj".
WORDS = {
    "lr": mark("learning rate"),
    "ema": mark("averaging"),
    "input_size": mark("image side"),
    "num_classes": mark("number of classes"),
    "in_channels": mark("channels in"),
    "validation_fraction": mark("validation share"),
    "kind": mark("kind of module"),
    "cutmix": "CutMix",
    "logit_norm": "LogitNorm",
    "trivial_augment": "TrivialAugment",
}
# The other names that people meet, so that they have a translation too.
OTHER_WORDS = (
    *(mark("epochs"), mark("epoch"), mark("step"), mark("steps"), mark("batch"), mark("batch size"), mark("seed")),
    *(mark("optimizer"), mark("momentum"), mark("weight decay"), mark("schedule"), mark("warmup"), mark("recipe")),
    *(mark("label smoothing"), mark("norm decay"), mark("flip"), mark("crop padding"), mark("cutout")),
    *(mark("whitening"), mark("dirac"), mark("normalize"), mark("split by"), mark("checkpoint epochs")),
    *(mark("device"), mark("compiled"), mark("deterministic"), mark("data"), mark("network")),
    *(mark("aux weight"), mark("dropout"), mark("batch norm"), mark("average pool"), mark("relu"), mark("ceil mode")),
    *(mark("naive"), mark("kernel"), mark("stride"), mark("padding"), mark("side"), mark("height"), mark("width")),
    *(mark("resize"), mark("channel"), mark("row"), mark("column"), mark("image"), mark("page"), mark("cell")),
    *(mark("split"), mark("score"), mark("false alarm"), mark("interval"), mark("bins"), mark("module")),
    *(mark("lesson"), mark("task"), mark("question"), mark("example"), mark("object"), mark("shape")),
    *(mark("command"), mark("move"), mark("switch"), mark("norm")),
)


class LabError(ValueError):
    """Something the user can put right. The message is one sentence: what is wrong and what to do.

    `field` names the setting at fault where there is one, so that a form can explain it in place.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def in_words(name: str) -> str:
    """What people read for the setting `name`: "lr" → "learning rate". English, and known to `tr`."""
    return name if " " in name else WORDS.get(name, name.replace("_", " "))


def is_number(value: Any, low: float, high: float) -> TypeGuard[float]:
    """Whether `value` is a number in [low, high]; NaN is in no range, and true and false are no numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _shown(value: Any) -> str:
    return tr("nothing") if value is None or value == "" else f"{value}"[:40]


def check_whole(value: Any, name: str, low: int, high: int, *, field: str | None = None) -> int:
    """Return `value` as an int in [low, high], else raise `LabError` naming `name`."""
    if not is_number(value, low, high) or value != int(value):
        sentence = tr(
            "{name} must be a whole number from {low:,} to {high:,}, not {value}.",
            name=tr(in_words(name)),
            low=low,
            high=high,
            value=_shown(value),
        )
        raise LabError(sentence, field or name)
    return int(value)


def store_whole(config: Any, low: int, high: int, *names: str, prefix: str = "") -> None:
    """Check these fields of a frozen `config` and keep them as ints: a form or JSON may give 512.0."""
    for name in names:
        shown = f"{prefix} {name}" if prefix else name
        object.__setattr__(config, name, check_whole(getattr(config, name), shown, low, high, field=name))


def check_number(value: Any, name: str, low: float, high: float, *, above: bool = False) -> float:
    """Return `value` as a float in [low, high] (or (low, high] when `above`), else raise `LabError`."""
    if not is_number(value, low, high) or (above and value == low):
        said: dict[str, Any] = {"name": tr(in_words(name)), "low": low, "high": high, "value": _shown(value)}
        if above:
            raise LabError(tr("{name} must be a number above {low:g} and up to {high:g}, not {value}.", **said), name)
        raise LabError(tr("{name} must be a number from {low:g} to {high:g}, not {value}.", **said), name)
    return float(value)


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return `value` when it is one of `choices`, else raise `LabError` listing them."""
    if value not in choices:
        sentence = tr(
            "{name} must be one of {choices}, not {value!r}.",
            name=tr(in_words(name)),
            choices=", ".join(choices),
            value=str(value)[:40],
        )
        raise LabError(sentence, name)
    return value


def check_flags(config: Any, *names: str) -> None:
    """Raise `LabError` where one of these fields of `config` is neither true nor false."""
    for name in names:
        if not isinstance(getattr(config, name), bool):
            given = str(getattr(config, name))[:40]
            raise LabError(
                tr("{name} must be true or false, not {value!r}.", name=tr(in_words(name)), value=given), name
            )


def check_fields(kind: type, plain: Any, what: str) -> dict[str, Any]:
    """Return `plain`, read from JSON, when it has the fields of the dataclass `kind`, and text where they are text.

    Raises `LabError` that says what `what` ("layer 3 of this network description") lacks, or has too many.
    """
    what = what[:1].upper() + what[1:]
    if not isinstance(plain, dict):
        given = str(plain)[:40]
        raise LabError(tr("{what} must be an object in braces, not {given}.", what=what, given=given), "network")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    missing = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in plain]
    if missing:
        raise LabError(tr("{what} lacks {missing}.", what=what, missing=", ".join(missing)), "network")
    if unknown := [str(name) for name in plain if name not in fields]:
        sentence = tr(
            "{what} has a {unknown!r}, which is none of {fields}.",
            what=what,
            unknown=unknown[0][:40],
            fields=", ".join(fields),
        )
        raise LabError(sentence, "network")
    for name, field in fields.items():
        if field.type == "str" and not isinstance(plain.get(name, ""), str):
            given = str(plain[name])[:40]
            raise LabError(
                tr("{what} has the {name} {given}, which is not text.", what=what, name=name, given=given), "network"
            )
    return plain


def check_run_name(name: Any) -> str:
    """Return `name` when it can name a run, else raise `LabError`: a run name is never a path."""
    if not isinstance(name, str) or not RUN_NAME.fullmatch(name):
        raise LabError(
            tr(
                "A run name is 1 to 64 lower-case letters, digits and hyphens, starting with a letter or digit, "
                "not {name!r}.",
                name=str(name)[:80],
            ),
            "run",
        )
    return name
