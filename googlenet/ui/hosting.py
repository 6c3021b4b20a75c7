"""What the machine that the page runs on asks of it: a Hugging Face Space, a container, a laptop.

A Space starts `python app.py` and nothing more, so what it needs is read from its environment: `SPACE_ID` is its name
there. Anybody can reach it and its disk forgets, so its page is read only until `GOOGLENET_OPTIONS` says otherwise,
which holds options of app.py where no command line can be written: `GOOGLENET_OPTIONS="--no-read-only"`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from googlenet.errors import LabError
from googlenet.language import tr

OPTIONS = "GOOGLENET_OPTIONS"
HUGGING_FACE = "https://huggingface.co"  # shows a Space inside its own page
SPACE_PORT = 7860


@dataclass(frozen=True)
class Hosting:
    """What holds where the command line does not say otherwise; `port` None is the first free one.

    `framing` are the sites that may show the page inside theirs, `options` come before those of the command line.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    read_only: bool = False
    framing: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def hosting(environment: Mapping[str, str]) -> Hosting:
    """What `environment` says; `LabError` for what cannot be meant."""
    space = bool(environment.get("SPACE_ID"))
    port = environment.get("GRADIO_SERVER_PORT") or (str(SPACE_PORT) if space else "")
    if port and not re.fullmatch(r"\d{1,5}", port):
        said = tr("GRADIO_SERVER_PORT must be a whole number from 1 to 65535, not {value!r}.", value=port[:40])
        raise LabError(said)
    try:
        options = tuple(shlex.split(environment.get(OPTIONS, "")))
    except ValueError as error:
        said = tr("{name} cannot be read as options of app.py ({why}).", name=OPTIONS, why=error)
        raise LabError(said) from error
    return Hosting(
        host=environment.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if space else "127.0.0.1"),
        port=int(port) if port else None,
        read_only=space,
        framing=(HUGGING_FACE,) if space else (),
        options=options,
    )


def check_origin(text: str) -> str:
    """`text` as an origin that may be named in a policy, such as https://example.org; `LabError` for anything else."""
    if not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?", text):
        said = tr("--allow-framing takes an origin such as https://example.org, not {value!r}.", value=text[:80])
        raise LabError(said)
    return text.lower()
