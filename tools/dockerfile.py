"""The Dockerfile's steps, carried out without Docker: in a scratch folder, in the Python that runs this.

    python -m tools.dockerfile

What is copied is copied (`.dockerignore` holds), and the app is started from there as CMD says, without root's powers
and in the Dockerfile's environment, until HEALTHCHECK is content. Of `pip install` only is asked whether what it names
is here already: nothing is downloaded. Users are not made, and the base image is only compared with this Python.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.powerless import lock_down, powerless, unlock

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # seconds until the app is healthy
RUN_HERE = re.compile(r"pip install (?P<what>.*)")


class Refused(Exception):
    """A step that cannot be carried out, in a sentence."""


@dataclass
class Image:
    """What the steps have made so far: the file system under `root`, its environment, its user."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    owned: list[Path] = field(default_factory=list)
    exposed: str = ""
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Where `name` of the image lies here."""
        return self.root / os.path.normpath(f"/{self.folder}/{name}" if not name.startswith("/") else name).lstrip("/")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, with what follows each; continued lines are one."""
    text = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def ignored(path: str, rules: list[str]) -> bool:
    """Whether `.dockerignore` leaves `path` out: the last rule that matches it, or a folder above it, decides."""
    parts = path.split("/")
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    out = False
    for rule in rules:
        pattern = rule.removeprefix("!").removeprefix("**/")
        names = parts if rule.startswith("**/") else above
        if any(fnmatch.fnmatchcase(name, pattern) and pattern.count("/") == name.count("/") for name in names):
            out = not rule.startswith("!")
    return out


def copy(image: Image, what: str, context: Path) -> None:
    """COPY: files and folders of `context` that are not ignored."""
    *flags, source, target = shlex.split(what)
    rules = [line for line in (context / ".dockerignore").read_text(encoding="utf-8").split() if line]
    begin = context / source
    if not begin.exists():
        raise Refused(f"COPY {what}: there is no {source}.")
    to = image.path(target)
    for path in [begin] if begin.is_file() else sorted(entry for entry in begin.rglob("*") if entry.is_file()):
        if ignored(path.relative_to(context).as_posix(), rules):
            continue
        place = to / (path.name if begin.is_file() else path.relative_to(begin).as_posix())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    if any(flag.startswith("--chown=") and flag != "--chown=root" for flag in flags):
        image.owned.append(to)


def run(image: Image, what: str) -> None:
    """RUN: asks pip whether all is here; users are not made."""
    command = re.sub(r"\$\{(\w+)\}", lambda found: image.environment.get(found[1], ""), what)
    if command.startswith("useradd "):
        return
    install = RUN_HERE.fullmatch(command)
    if not install:
        raise Refused(f"RUN {what}: this script knows no such step, so teach it.")
    here = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--disable-pip-version-check", "--quiet"]
    words = re.sub(r"--index-url \S+|--no-cache-dir", "", install["what"])
    done = subprocess.run(
        [*here, *shlex.split(words)], cwd=image.path("."), capture_output=True, text=True, timeout=120
    )
    if done.returncode or "Would install" in done.stdout:
        raise Refused(f"RUN {what}: not all of it is installed here ({(done.stdout + done.stderr).strip()[-300:]}).")


def build(text: str, context: Path, root: Path) -> Image:
    """Carry out all steps of the Dockerfile `text`; `Refused` for one that does not work."""
    image = Image(root)
    for word, rest in instructions(text):
        match word:
            case "FROM":
                version = re.search(r"python:(\d+)\.(\d+)", rest)
                if not version or (int(version[1]), int(version[2])) > sys.version_info[:2]:
                    raise Refused(f"FROM {rest}: this is Python {sys.version_info[0]}.{sys.version_info[1]}.")
            case "ARG" | "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "WORKDIR":
                image.folder = rest
                image.path(".").mkdir(parents=True, exist_ok=True)
            case "COPY":
                copy(image, rest, context)
            case "RUN":
                run(image, rest)
            case "USER":
                image.user = rest
            case "EXPOSE":
                image.exposed = rest
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD")[2])
            case "CMD":
                image.command = json.loads(rest)
            case _:
                raise Refused(f"{word} {rest}: this script knows no such step, so teach it.")
    if image.user in ("root", "0"):
        raise Refused("The app would run as root: name a USER.")
    if image.exposed != image.environment.get("GRADIO_SERVER_PORT"):
        raise Refused(f"EXPOSE names port {image.exposed}, and the app listens on another.")
    return image


def start(image: Image, home: Path) -> float:
    """Start CMD and wait until HEALTHCHECK is content; the seconds that took. The port is one that is free here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    wanted = image.environment["GRADIO_SERVER_PORT"]
    environment = {**os.environ, **image.environment, "GRADIO_SERVER_PORT": port, "HOME": str(home)}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "NO_PROXY": "127.0.0.1,localhost"}
    command, health = (
        [sys.executable, *(part.replace(f":{wanted}/", f":{port}/") for part in words[1:])]
        for words in (image.command, image.health)
    )
    log = home / "app.log"
    lock_down(image.root, but=image.owned)
    began = time.monotonic()
    with log.open("wb") as file:
        app = subprocess.Popen(
            powerless(command), cwd=image.path("."), env=environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        while subprocess.run(powerless(health), env=environment, capture_output=True, timeout=30).returncode:
            if app.poll() is not None or time.monotonic() - began > PATIENCE:
                raise Refused(f"CMD never became healthy: {log.read_text(encoding='utf-8', errors='replace')[-1500:]}")
            time.sleep(0.3)
        return time.monotonic() - began
    finally:
        app.kill()
        app.wait()
        unlock(image.root)


def main() -> int:
    """Carry out the Dockerfile of this checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        root, home = Path(scratch) / "root", Path(scratch) / "home"
        root.mkdir()
        home.mkdir()
        try:
            image = build((ROOT / "Dockerfile").read_text(encoding="utf-8"), ROOT, root)
            size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
            seconds = start(image, home)
        except Refused as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(f"every step of the Dockerfile works: {size / 1e6:.1f} MB copied, healthy after {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
