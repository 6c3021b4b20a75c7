"""What people read, in their language: English stands in the code and is the key, `texts/ko/*.po` hold the Korean.

    tr("{name} has {n:,} images.", name=run.name, n=count)      a text, its values as str.format takes them
    trn("{n} image", "{n} images", count)                       one or many
    mark("learning rate")                                       a constant that is shown with `tr(…)` later
    retell(report["reported_on"])                               a sentence that was kept in English

Templates and scripts have the same `tr` (Jinja's {% trans %} too). The language is that of the request being answered
(ui/spoken.py); a program that imports the library, a trainer and the command line speak English.
`python -m tools.texts` finds what is missing or no longer used.
"""

from __future__ import annotations

import contextlib
import functools
import re
import string
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

LANGUAGES = {"en": "English", "ko": "한국어"}
TEXTS = Path(__file__).with_name("texts")
SCRIPTS = "scripts"  # the catalogue's part that the page's JavaScript needs

LONGEST = 600  # letters of a sentence that is told again: a stranger's file may hold anything
NUMBER = r"[-+]?(?:[\d,.]+(?:e[-+]?\d+)?|nan|inf)%?"  # as a format with digits writes it
P = ParamSpec("P")
T = TypeVar("T")
_language: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """The language in which `tr` answers now: a key of `LANGUAGES`."""
    return _language.get()


@contextlib.contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Within the block `tr` answers in `chosen`, a key of `LANGUAGES`; in this thread or task alone."""
    before = _language.set(chosen)
    try:
        yield
    finally:
        _language.reset(before)


def carried(function: Callable[P, T]) -> Callable[P, T]:
    """`function` for threads of a pool, which know nothing of whom they work for: it speaks the language of here."""
    chosen = language()

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        with speaking(chosen):
            return function(*arguments, **options)

    return run


@functools.cache
def catalogue(chosen: str, part: str = "*") -> dict[str, str]:
    """All texts of a language by their English, read once; empty for English. `part` is one file's name."""
    from babel.messages.pofile import read_po  # read where somebody asks for another language, not at the start

    known: dict[str, str] = {}
    for path in sorted(TEXTS.glob(f"{chosen}/{part}.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=chosen):
                if not message.id:
                    continue  # the file's own head
                known[str(message.id)] = str(message.string)  # each form of a plural by itself
    return known


def tr(text: str, /, **values: Any) -> str:
    """`text` in the reader's language, `{fields}` filled with `values`; in English where no translation is known."""
    chosen = _language.get()
    if chosen != "en":
        text = catalogue(chosen).get(text) or text
    return text.format(**values) if values else text


def trn(one: str, many: str, n: float, /, **values: Any) -> str:
    """`one` for exactly one, else `many`, in the reader's language; `{n}` is the number. Korean has one form."""
    return tr(one if n == 1 else many, n=n, **values)


def retell(text: str) -> str:
    """`text`, in English as a file or a cache has kept it, in the reader's language; as it is where none of ours fits.

    It is known by the text that it was made of, the most literal one that fits; what filled the fields is told again
    too.
    """
    chosen = _language.get()
    if chosen == "en" or len(text) > LONGEST:
        return text
    if whole := catalogue(chosen).get(text):
        return whole
    for english, longest in _shapes(chosen):
        if longest in text and (found := _shape(english).fullmatch(text)):
            values = {f"{{{name}}}": found[f"f{n}"] for n, name in enumerate(_fields(english))}
            told = string.Formatter().parse(catalogue(chosen)[english])
            return "".join(said + (retell(values.get(f"{{{name}}}", "")) if name else "") for said, name, _, _ in told)
    return text


def _fields(text: str) -> list[str]:
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(text) if name))


@functools.cache
def _shape(text: str) -> re.Pattern[str]:
    """What `text` looks like once its fields are filled."""
    numbers = {name: n for n, name in enumerate(_fields(text))}
    seen: set[str] = set()
    shape = ""
    for said, name, form, _ in string.Formatter().parse(text):
        shape += re.escape(said)
        if name:
            filled = NUMBER if form and form[-1] in ",dfg%" else ".+?"
            shape += f"(?P=f{numbers[name]})" if name in seen else f"(?P<f{numbers[name]}>{filled})"
            seen.add(name)
    return re.compile(shape, re.S)


@functools.cache
def _shapes(chosen: str) -> list[tuple[str, str]]:
    """The translated texts with fields, the longest first, each with its longest piece between fields."""
    shapes: list[tuple[int, str, str]] = []
    for english, told in catalogue(chosen).items():
        if not told or "{" not in english or "%(" in english:
            continue
        pieces = [said for said, _, _, _ in string.Formatter().parse(english)]
        letters = sum(map(str.isalpha, "".join(pieces)))
        if _fields(english) and letters >= 4:  # fewer fit anything
            shapes.append((letters, english, max(pieces, key=len)))
    return [(english, longest) for _, english, longest in sorted(shapes, reverse=True)]


def mark(text: str) -> str:
    """`text` as it is, known to the catalogue: for a constant whose users call `tr` where the reader is known."""
    return text
