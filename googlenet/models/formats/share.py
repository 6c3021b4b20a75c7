"""A network's configuration as text that travels: as JSON, and as a short link.

The text of a link names a preset and what differs from it, `cifar10.two3x3~inception3a.ch1x1.80~batch_norm.0`, in
characters that an address takes as they are. A network that is no preset's relative is packed JSON instead.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json
import time
import zlib
from collections import Counter
from typing import Any
from urllib.parse import quote, unquote

from googlenet.config import AuxConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig
from googlenet.errors import RUN_NAME, LabError
from googlenet.language import tr
from googlenet.models.presets import OWN_CH5X5, PRESETS, preset, with_variants

MAX_TEXT = 20_000  # characters of a link; servers refuse longer addresses anyway
MAX_JSON = 1_000_000
PACKED, UNCHAINED = "packed", "unchained"
_VARIANTS = {"5x5": "5x5", "3x3": "3x3", "two3x3": "two 3x3"}
_SWITCHES = ("paper", "aux", *_VARIANTS)


def to_json(network: GoogLeNetConfig) -> str:
    """The whole configuration, readable; `from_json` is the inverse."""
    return json.dumps(network.to_dict(), indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, *, chained: bool = True) -> GoogLeNetConfig:
    """Read what `to_json` wrote, or the network in a run's config.json; raises `LabError` for anything else.

    Channels that do not meet are refused too unless `chained` is False.
    """
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        said = tr("This is not JSON: it goes wrong in line {line}, column {column}.", **where)
        raise LabError(said, "network") from error
    except (ValueError, RecursionError) as error:
        said = tr("This is not JSON: it is nested too deeply or has a number that is too long.")
        raise LabError(said, "network") from error
    if isinstance(plain, dict) and isinstance(plain.get("network"), dict):
        plain = plain["network"]
    return GoogLeNetConfig.from_dict(plain, chained=chained)


def to_link_text(network: GoogLeNetConfig) -> str:
    """A short text of letters, digits and `.~-_%` that `from_link_text` makes the same network of."""
    chained = not network.problems()
    texts = [text for name in PRESETS if (text := _difference(name, network, chained)) is not None]
    return min(texts, key=len) if texts else f"{PACKED}.{_pack(network)}"


def from_link_text(text: str) -> GoogLeNetConfig:
    """The network of `to_link_text`; it may have `problems` where that one had some.

    A preset's name is such a text. Raises `LabError` for anything else.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        said = tr("This link does not describe a network: it is not text of up to {n:,} characters.", n=MAX_TEXT)
        raise LabError(said, "network")
    start, *segments = text.split("~")
    name, *switches = start.split(".")
    if name == PACKED:
        return _unpack(text.removeprefix(f"{PACKED}."))
    if unknown := set(switches) - set(_SWITCHES):
        option = min(unknown)[:40]
        said = tr("This link does not describe a network: its option {option!r} is unknown.", option=option)
        raise LabError(said, "network")
    chained = UNCHAINED not in segments
    network = _changed(_start(name, frozenset(switches)), [s for s in segments if s != UNCHAINED])
    return network.rechained() if chained else network


def parse_network(value: Any) -> GoogLeNetConfig:
    """The network that a form or a client means: a preset's name, a description (JSON or its text), or a link's text.

    Its channels meet. Raises `LabError` for anything else.
    """
    if isinstance(value, dict):
        return GoogLeNetConfig.from_dict(value)
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith(("{", *PRESETS, PACKED)):
        raise LabError(
            tr(
                "network must be one of {presets}, a description as JSON, or a link's text, not {given!r}.",
                presets=", ".join(PRESETS),
                given=str(value)[:40],
            ),
            "network",
        )
    config = from_json(text) if text.startswith("{") else from_link_text(text)
    config.check_channels()
    return config


def file_stem(config: GoogLeNetConfig) -> str:
    """A name for files and runs: the network's own where it can be one."""
    return config.name if RUN_NAME.fullmatch(config.name) else "network"


def fresh_name(config: GoogLeNetConfig) -> str:
    """A name for a run that was given none: the network and the time."""
    return f"{file_stem(config)[:40]}-{time.strftime('%Y%m%d-%H%M%S')}"


@functools.lru_cache(maxsize=64)
def _start(name: str, switches: frozenset[str]) -> GoogLeNetConfig:
    ch5x5 = next((variant for switch, variant in _VARIANTS.items() if switch in switches), None)
    network = preset(name, paper="paper" in switches, ch5x5=ch5x5)
    return with_variants(network, aux_heads="aux" in switches)


def _switches(name: str, network: GoogLeNetConfig) -> list[str]:
    """What most of `network` has switched on over the preset `name`."""
    variants = Counter(layer.ch5x5_variant for layer in network.layers if isinstance(layer, InceptionConfig))
    own = OWN_CH5X5.get(name, "5x5")
    common = variants.most_common(1)[0][0] if variants else own
    on = {"paper": any(isinstance(layer, LRNConfig) for layer in network.layers), "aux": bool(network.aux)}
    return [switch for switch in _SWITCHES if on.get(switch) or own != common == _VARIANTS.get(switch)]


# --- a preset and what differs ------------------------------------------------------------------


def _difference(name: str, network: GoogLeNetConfig, chained: bool) -> str | None:
    """The link's text from the preset `name`; None when the two have not the same layers."""
    switches = _switches(name, network)
    try:
        base = _start(name, frozenset(switches))
    except LabError:  # a preset that has no such switch
        return None
    ours, theirs = (*network.layers, *network.aux), (*base.layers, *base.aux)
    if [(type(part), part.name) for part in ours] != [(type(part), part.name) for part in theirs]:
        return None
    segments = [".".join([name, *switches])] + ([] if chained else [UNCHAINED])
    for field, value in _differing(network, base, ("layers", "aux")):
        segments.append(f"{field}.{_write(value)}")
    for part, other in zip(ours, theirs, strict=True):
        for field, value in _differing(part, other, ("in_channels",) if chained else ()):
            segments.append(f"{part.name}.{field}.{_write(value)}")
    return "~".join(segments)


def _differing(ours: Any, theirs: Any, left_out: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Fields of two dataclasses of one type, with our value where it is another one."""
    names = [field.name for field in dataclasses.fields(ours) if field.name not in left_out]
    return [(name, getattr(ours, name)) for name in names if getattr(ours, name) != getattr(theirs, name)]


def _changed(base: GoogLeNetConfig, segments: list[str]) -> GoogLeNetConfig:
    changes: dict[str, dict[str, str]] = {}
    parts = {part.name: part for part in (*base.layers, *base.aux)}
    for segment in segments:
        part, _, rest = segment.partition(".")
        if part not in parts:
            part, rest = "", segment
        field, dot, value = rest.partition(".")
        if not dot:
            said = tr("This link does not describe a network: {segment!r} sets nothing.", segment=segment[:40])
            raise LabError(said, "network")
        changes.setdefault(part, {})[field] = value

    def apply(part: Any, name: str) -> Any:
        return dataclasses.replace(part, **{f: _read(part, f, v) for f, v in changes.get(name, {}).items()})

    layers: tuple[Layer, ...] = tuple(apply(layer, layer.name) for layer in base.layers)
    aux: tuple[AuxConfig, ...] = tuple(apply(head, head.name) for head in base.aux)
    return apply(dataclasses.replace(base, layers=layers, aux=aux), "")


def _write(value: Any) -> str:
    if isinstance(value, str):
        return quote(value, safe="").replace("~", "%7E").replace(".", "%2E")
    return str(int(value)) if isinstance(value, bool) else repr(value)


def _read(part: Any, field: str, text: str) -> Any:
    """`text` in the type of the field's present value."""
    kind = type(getattr(part, field, None))
    named = field == "name" and not isinstance(part, GoogLeNetConfig)  # other layers refer to the name
    try:
        if kind is bool and not named:
            return {"0": False, "1": True}[text]
        if kind in (int, float, str) and not named:
            return unquote(text) if kind is str else kind(text)
    except (KeyError, ValueError):
        pass
    given = {"field": field[:40], "value": text[:40]}
    raise LabError(tr("This link does not describe a network: it sets {field!r} to {value!r}.", **given), "network")


# --- packed JSON --------------------------------------------------------------------------------


def _pack(network: GoogLeNetConfig) -> str:
    text = json.dumps(network.to_dict(), separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def _unpack(text: str) -> GoogLeNetConfig:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, MAX_JSON)  # a stranger's link may unpack to gigabytes
        if not unpacker.eof:
            raise ValueError("too long")
        text = plain.decode()
    except (ValueError, binascii.Error, zlib.error) as error:
        said = tr("This link does not describe a network: it was cut off or changed on its way.")
        raise LabError(said, "network") from error
    return from_json(text, chained=False)
