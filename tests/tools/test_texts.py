"""The catalogue: complete, without anything that nobody reads, and around all texts of the page."""

from __future__ import annotations

import re
import string
from collections import Counter
from pathlib import Path

import pytest

from googlenet.language import catalogue
from tools import texts

USED = texts.used()
FIELD = re.compile(r"\{(\w*)[^{}]*\}|%\((\w+)\)s|(</?\w+)[^<>]*>")


def test_every_text_has_a_translation_and_every_translation_a_text() -> None:
    known, twice = texts.translated()
    assert [text for text in USED if not known.get(text)] == [], "python -m tools.texts --write, then fill them in"
    assert sorted(known.keys() - USED.keys()) == [], "python -m tools.texts --write takes them out"
    assert twice == []


def test_every_text_stands_in_the_file_of_its_room() -> None:
    misplaced = {text: room for text, room in USED.items() if text not in catalogue("ko", room)}
    assert misplaced == {}, "python -m tools.texts --write puts them in order"


def test_a_translation_has_the_fields_and_the_markup_of_its_text() -> None:
    def parts(text: str) -> Counter[str]:
        return Counter(next(filter(None, found), "") for found in FIELD.findall(text))

    different = [text for text, korean in catalogue("ko").items() if set(parts(text)) != set(parts(korean))]
    assert different == []


def test_a_translation_can_be_filled_in() -> None:
    for text, korean in catalogue("ko").items():
        for form in (text, korean):
            if "{" in form and "%(" not in form:
                list(string.Formatter().parse(form))


def test_no_text_stands_outside_the_catalogue() -> None:
    assert [found for path in texts.sources() for found in texts.outside(path)] == []


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("view.py", "import gradio as gr\ngr.Button('Start it')\n", ["Start it"]),
        ("view.py", "import gradio as gr\ngr.Radio(['a'], label=f'So {1} ways', info=tr('known'))\n", ["So  ways"]),
        ("view.py", "raise LabError(f'No {name} here.' + tail)\n", ["No  here."]),
        ("view.py", "raise LabError(tr('No {name} here.', name=name))\ngr.Button('✕')\n", []),
        ("part.html", "<p title='A hint'>{{ tr('known') }} and {{ count }} more</p>", ["A hint", "and  more"]),
        ("part.html", "{% trans n=count %}{{ n }} of <b>these</b>{% endtrans %}{# not read #}<p>{{ count }} ×</p>", []),
        (
            "part.js",
            "own.say('Nothing was kept.');\nown.find('.gl-a .gl-b');  // a note for readers\n",
            ["Nothing was kept."],
        ),
        ("part.js", "own.say(own.tr('Nothing was kept.'));\n", []),
    ],
)
def test_a_text_outside_is_found(
    name: str, code: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "ROOT", tmp_path)
    path = tmp_path / "googlenet" / "ui" / name
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert [line.split(": ", 1)[1] for line in texts.outside(path)] == [repr(text) for text in found]


def test_putting_in_order_keeps_what_is_known_and_adds_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tmp_path / "googlenet"
    (lab / "texts" / "ko").mkdir(parents=True)
    (lab / "texts" / "ko" / "common.po").write_text('msgid "Old"\nmsgstr "옛"\n\nmsgid "Kept"\nmsgstr "남음"\n')
    (lab / "view.py").write_text('tr("Kept")\ntrn("{n} new one", "{n} new ones", count)\n')
    for name, value in {"ROOT": tmp_path, "LAB": lab, "TEXTS": lab / "texts"}.items():
        monkeypatch.setattr(texts, name, value)
    assert texts.main(["--write"]) == 1  # two are not translated yet
    known, _ = texts.translated()
    assert known == {"Kept": "남음", "{n} new one": "", "{n} new ones": ""}
