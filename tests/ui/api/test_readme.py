"""README's examples for programs and agents, run as they stand against a live app."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from examples import ROOT, SHIPPED

EXAMPLES = dict(
    re.findall(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
)
ANSWERS = {
    "client": r"^frog, 98\.\d%$",
    "curl": r"^event: complete\ndata: \[\{.*\"verdict\": \"frog, 98\.\d%\"",
    "mcp": r"^inspect_module inspect_network run_status .*\n5983402$",
}


def test_there_are_these_examples() -> None:
    assert set(EXAMPLES) == set(ANSWERS)


@pytest.mark.parametrize("name", list(ANSWERS))
def test_an_example_does_what_it_says(name: str, lab: Path, serve: Any) -> None:
    with serve(lab, mcp=False) as (_, url):
        text = EXAMPLES[name].replace("http://127.0.0.1:7860", url.rstrip("/"))
        command = ["bash", "-euc", text] if name == "curl" else [sys.executable, "-c", text]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(ANSWERS[name], done.stdout, re.M | re.S), done.stdout
    assert SHIPPED.is_file()
