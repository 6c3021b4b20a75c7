"""The page's own files: CSS that parses and is used, branch colours that agree with the drawings'."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tinycss2

from googlenet.runs.status import STATES
from googlenet.ui.common.figures import BRANCH_CLASSES

UI = Path(__file__).resolve().parents[2] / "googlenet" / "ui"
STYLES = sorted(UI.glob("static/*/*.css"))
CLASS = re.compile(r"\.(gl-[\w-]+)")


def rules(nodes):
    """Every qualified rule, those inside @media too."""
    for node in nodes:
        assert node.type != "error", f"line {node.source_line}: {node.message}"
        if node.type == "qualified-rule":
            yield node
        elif node.type == "at-rule" and node.content is not None and node.at_keyword in ("media", "supports"):
            yield from rules(tinycss2.parse_rule_list(node.content, skip_whitespace=True, skip_comments=True))


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.name)
def test_styles_parse_and_nothing_in_them_is_left_over(file):
    sources = [*UI.rglob("*.py"), *UI.rglob("*.html"), *UI.glob("static/*/*.js")]
    used = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    composed = (*(f"gl-{part}" for part in (*STATES, "done", "wide", "narrow", "waits")), *BRANCH_CLASSES.values())
    used += " ".join(composed)  # names that templates put together
    found = rules(tinycss2.parse_stylesheet(file.read_text(encoding="utf-8"), skip_whitespace=True, skip_comments=True))
    for rule in found:
        for node in tinycss2.parse_declaration_list(rule.content, skip_whitespace=True, skip_comments=True):
            assert node.type != "error", f"{file.name}:{node.source_line}: {node.message}"
            if node.type == "declaration" and node.name == "font-size":
                size = tinycss2.serialize(node.value).strip()
                assert not size.endswith("px") or float(size[:-2]) >= 12.5, f"{file.name}:{node.source_line}: too small"
        for name in CLASS.findall(tinycss2.serialize(rule.prelude)):
            assert name in used, name


def test_no_tab_styles_a_class_of_another_tab():
    """Every style is on every page: two tabs with a class of one name would lay out each other's parts."""
    shared, owners = set(), {}
    for file in STYLES:
        sheet = tinycss2.parse_stylesheet(file.read_text(encoding="utf-8"), skip_whitespace=True, skip_comments=True)
        for rule in rules(sheet):
            for selector in tinycss2.serialize(rule.prelude).split(","):
                # The class that a selector begins with, or has after the theme's: the part of the page it is about.
                names = CLASS.findall(selector.strip())
                if not names or not selector.strip().removeprefix(".dark ").startswith(f".{names[0]}"):
                    continue
                if file.parent.name == "common":
                    shared.add(names[0])
                else:
                    owners.setdefault(names[0], set()).add(file.parent.name)
    assert {name: tabs for name, tabs in owners.items() if len(tabs) > 1 and name not in shared} == {}
