"""Which texts people read, and which of them have no Korean: `python -m tools.texts`, with `--write` put in order.

Each file under `googlenet/texts/ko` belongs to a room (`ROOMS`): the texts that only its code has. What several rooms
have stands in common.po, what a script of the page has in scripts.po. `--write` adds what is missing with an empty
translation, takes out what nobody uses any more, and sorts; it never invents a translation and never loses one that is
used.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LAB = ROOT / "googlenet"
TEXTS = LAB / "texts"
KEYWORDS = {"tr": None, "trn": (1, 2), "mark": None, "gettext": None, "ngettext": (1, 2)}
IN_SCRIPTS = {f"{owner}tr": None for owner in ("", "own.", "googlenet.", "window.googlenet.")}
METHODS = {
    ".py": ("python", KEYWORDS),
    ".js": ("javascript", IN_SCRIPTS),
    ".html": ("jinja2.ext:babel_extract", KEYWORDS),
}
# What shows its first argument, which of a component's options people read, and which of an element's attributes.
COMPONENTS = {"Button", "DownloadButton", "UploadButton", "Tab", "Markdown", "Accordion", "Info", "Warning", "Error"}
SHOWN = {"label", "info", "placeholder", "title", "description", "headers", "choices", "submit_btn", "buttons"}
SPOKEN_ATTRIBUTES = {
    "data-before",
    "title",
    "alt",
    "aria-label",
    "placeholder",
    "aria-description",
    "aria-roledescription",
}
# Names and signs that are the same in every language.
NO_PROSE = {"GoogLeNet Lab", "CIFAR-10", "fullscreen", "copy"}
# A text's file by the beginning of its place; the first that fits.
ROOMS = (
    ("ui/static", "scripts"),
    ("ui/build/lessons", "lessons"),
    ("ui/templates/lessons", "lessons"),
    ("lessons", "lessons"),
    ("ui/build", "build"),
    ("ui/templates/module", "build"),
    ("ui/templates/network", "build"),
    ("models", "build"),
    ("ui/train", "train"),
    ("ui/templates/train", "train"),
    ("training", "train"),
    ("runs", "train"),
    ("recipes", "train"),
    ("config", "train"),
    ("ui/evaluate", "evaluate"),
    ("ui/templates/evaluate", "evaluate"),
    ("inference/selection", "evaluate"),
    ("ui/classify", "classify"),
    ("ui/templates/classify", "classify"),
    ("inference", "classify"),
    ("", "common"),
)


def used() -> dict[str, str]:
    """Every text in the code, with the name of the file that its translation belongs into."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        place = path.relative_to(LAB).as_posix()
        room = next(room for beginning, room in ROOMS if place.startswith(beginning))
        for text in texts_of(path):
            rooms[text].add(room)
    return {text: _one(found) for text, found in rooms.items()}


def sources() -> list[Path]:
    """The files that have texts for people."""
    return sorted([*LAB.rglob("*.py"), *LAB.glob("ui/templates/**/*.html"), *LAB.glob("ui/static/*/*.js")])


def _one(rooms: set[str]) -> str:
    if "scripts" in rooms:
        return "scripts"
    return next(iter(rooms)) if len(rooms) == 1 else "common"


def texts_of(path: Path) -> list[str]:
    """The texts in one file that are shown through the catalogue, each form of a plural by itself."""
    methods = {
        ".py": ("python", KEYWORDS),
        ".js": ("javascript", IN_SCRIPTS),
        ".html": ("jinja2.ext:babel_extract", KEYWORDS),
    }
    method, keywords = methods[path.suffix]
    options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    found = extract_from_file(method, str(path), keywords=keywords, options=options)
    texts: list[str] = []
    for _, message, _, _ in found:
        texts += [message] if isinstance(message, str) else [form for form in message if form]
    return texts


def outside(path: Path) -> list[str]:
    """Texts in one file that people would read in English, whatever their language: each with its place."""
    kind = {".py": _outside_python, ".js": _outside_script, ".html": _outside_template}[path.suffix]
    place = path.relative_to(ROOT).as_posix()
    if place.startswith("googlenet/cli/"):
        return []  # the command line speaks English
    found = kind(path.read_text(encoding="utf-8"), place.startswith("googlenet/ui/"))
    return [f"{place}:{line}: {text!r}" for line, text in found]


def _is_prose(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2}", text)) and text.strip() not in NO_PROSE


def _outside_python(code: str, page: bool) -> Iterator[tuple[int, str]]:
    """What a component shows, and what a `LabError` says."""
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).rpartition(".")[2]
        shown = [*call.args[:1]] if name == "LabError" or (page and name in COMPONENTS) else []
        if page and ast.unparse(call.func).startswith("gr."):
            shown += [word.value for word in call.keywords if word.arg in SHOWN]
        for value in shown:
            parts = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
            for part in parts:
                text = _literal(part)
                if text and _is_prose(text):
                    yield part.lineno, text


def _literal(node: ast.expr) -> str:
    """The text written at `node` itself, without what stands in an f-string's braces."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _literal(node.left) + _literal(node.right)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _outside_template(text: str, page: bool) -> Iterator[tuple[int, str]]:
    """What stands between tags, or in an attribute that is shown or spoken."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    for jinja in (r"\{#.*?#\}", r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", r"\{%.*?%\}", r"\{\{.*?\}\}"):
        text = re.sub(jinja, blank, text, flags=re.S)
    found: list[tuple[int, str]] = []

    class Reader(HTMLParser):
        """Collects them."""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend((self.getpos()[0], value) for name, value in attrs if name in SPOKEN_ATTRIBUTES and value)

        def handle_data(self, data: str) -> None:
            if self.get_starttag_text() is None or self.cdata_elem is None:
                found.append((self.getpos()[0], data.strip()))

    Reader(convert_charrefs=True).feed(text)
    yield from ((line, said) for line, said in found if _is_prose(said))


def _outside_script(code: str, page: bool) -> Iterator[tuple[int, str]]:
    """A literal of several words that is no selector, or one with a capital, and that `tr` does not get.

    What a value is compared with is not shown.
    """
    for number, line in enumerate(code.splitlines(), 1):
        line = re.sub(r"(^|\s)//.*|=== '[^']*'", "", line)
        for quoted in re.finditer(
            r"""(?<!tr\()(['`])((?:[A-Z][a-z]+|[a-z]+(?= [a-z]))(?:[\w ,;:'’%${}?!-]|\.(?![\w]))*)\1""", line
        ):
            if _is_prose(quoted[2]) and not re.fullmatch(r"[A-Z]\w+(?<!ing)", quoted[2]):
                yield number, quoted[2]


def translated(language: str = "ko") -> tuple[dict[str, str], list[str]]:
    """What the catalogue has, by its English, and the texts that stand in it twice."""
    known: dict[str, str] = {}
    twice: list[str] = []
    for path in sorted(TEXTS.glob(f"{language}/*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    twice += [str(message.id)] if message.id in known else []
                    known[str(message.id)] = str(message.string) or known.get(str(message.id), "")
    return known, twice


def write(language: str = "ko") -> None:
    """Put the files in order."""
    known, _ = translated(language)
    files: dict[str, dict[str, str]] = defaultdict(dict)
    for text, room in used().items():
        files[room][text] = known.get(text, "")
    for path in TEXTS.glob(f"{language}/*.po"):
        if path.stem not in files:
            path.unlink()
    for room, texts in files.items():
        catalog = Catalog(locale=language, charset="utf-8", header_comment=f"# {room}: see googlenet/language.py")
        for text in sorted(texts):
            catalog.add(text, texts[text])
        with (TEXTS / language / f"{room}.po").open("wb") as file:
            write_po(file, catalog, width=118, omit_header=True, sort_output=False)


def main(arguments: list[str] | None = None) -> int:
    """Say what is missing and what is unused; 1 where there is any."""
    parser = argparse.ArgumentParser(description="The page's texts and their translations.")
    parser.add_argument(
        "--write", action="store_true", help="add what is missing, empty; take out what is unused; sort"
    )
    if parser.parse_args(arguments).write:
        write()
    (known, twice), texts = translated(), used()
    missing = [text for text in texts if not known.get(text)]
    for name, which in ("not translated", missing), ("unused", [*known.keys() - texts.keys()]), ("there twice", twice):
        for text in which:
            print(f"{name}: {text!r}")
    elsewhere = [found for path in sources() for found in outside(path)]
    for found in elsewhere:
        print(f"outside the catalogue: {found}")
    print(f"{len(texts)} texts, {len(missing)} of them not translated")
    return int(bool(elsewhere or missing or twice or known.keys() - texts.keys()))


if __name__ == "__main__":
    sys.exit(main())
