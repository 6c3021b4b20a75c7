"""What changes around the lab while nobody changes the lab: to be run once a week, from the root of a checkout.

    python -m tools.alive [newest] [private] [licences] [addresses] [--tests tests/ui]

newest     are there newer versions of Gradio and torch? They are installed beside this Python, in a folder that is
           deleted again, and the tests run with them: gigabytes, and as long as the tests take
private    what the lab uses of Gradio and Gradio does not promise is still there, in the Gradio installed here
licences   of all that requirements.txt brings, read from what is installed: each is known, and one that the lab may use
addresses  where CIFAR-10 and the ImageNet weights are published still answers, with a file of the size that is expected

Without names all four. Without a network, newest and addresses are skipped in a sentence. Ends with 1 when one fails.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
WATCHED = ("gradio", "torch", "torchvision")
TIMEOUT = 20.0  # seconds
CIFAR_BYTES, IMAGENET_BYTES = (160_000_000, 180_000_000), (40_000_000, 60_000_000)
# Beginnings of licences under which the lab, itself MIT, may use a package: they ask for a notice, at most for the
# source of the package itself where that is changed (MPL).
ALLOWED = re.compile(
    r"\(?(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software|HPND|Historical|Zlib|Unlicense|MPL|Mozilla|CNRI|BlueOak|CC0)",
    re.I,
)
# NVIDIA's terms allow use and no changes; the processor's build of torch brings none of these.
OF_CUDA = re.compile(r"(nvidia|cuda)-", re.I)


@dataclass(frozen=True)
class Finding:
    """How a check ended: `good` is None where it was skipped."""

    good: bool | None
    sentence: str


def newest(tests: str) -> Finding:
    """The newest Gradio and torch against the tests."""
    known = {name: metadata.version(name) for name in WATCHED}
    # To reinstall, were it done, asks the index; to upgrade what is installed is content without one.
    how = ["--dry-run", "--upgrade", "--force-reinstall", "--no-deps", "--quiet", "--report", "-"]
    ask = [sys.executable, "-m", "pip", "install", *how, *WATCHED]
    asked = subprocess.run(ask, capture_output=True, text=True, timeout=600)
    if asked.returncode:
        return Finding(None, f"No package index answers ({last_line(asked.stderr)}).")
    offered = {item["metadata"]["name"]: item["metadata"]["version"] for item in json.loads(asked.stdout)["install"]}
    news = {name: offered[name] for name in WATCHED if known[name].partition("+")[0] != offered[name].partition("+")[0]}
    if not news:
        here = ", ".join(f"{name} {version}" for name, version in known.items())
        return Finding(*_tested(Path(sys.executable), tests, f"{here}, the newest, are installed here"))
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        upgrade = [f"{name}=={version}" for name, version in news.items()]
        for command in (
            [sys.executable, "-m", "venv", folder],
            [str(python), "-m", "pip", "install", "-q", "-r", "requirements.txt", "-r", "tests/requirements.txt"],
            [str(python), "-m", "pip", "install", "-q", "--upgrade", *upgrade],
        ):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                return Finding(False, f"{' '.join(upgrade)} cannot be installed ({last_line(done.stderr)}).")
        words = ", ".join(f"{name} {version} in place of {known[name]}" for name, version in news.items())
        return Finding(*_tested(python, tests, words))


def _tested(python: Path, tests: str, words: str) -> tuple[bool, str]:
    done = subprocess.run([str(python), "-m", "pytest", "-q", *tests.split()], cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, f"{words}; {tests}: {last_line(done.stdout)}"


def private(tests: str) -> Finding:
    """What gradio_private.py needs, by its own tests."""
    which = ["tests/ui/test_api.py", "-k", "gradio"]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *which], cwd=ROOT, capture_output=True, text=True)
    return Finding(done.returncode == 0, f"Gradio {metadata.version('gradio')}: {last_line(done.stdout)}")


def licences(tests: str) -> Finding:
    """Every package that running the lab brings, by its licence; others' work in the page beside its licence."""
    names = sorted(closure(ROOT / "requirements.txt"))
    cuda = [name for name in names if OF_CUDA.match(name)]
    strange = {name: licence_of(name) or "none named" for name in names if name not in cuda}
    strange = {name: licence for name, licence in strange.items() if not ALLOWED.match(licence)}
    bare = [item.name for item in (ROOT / "googlenet/ui/static/vendor").iterdir() if not (item / "LICENSE").is_file()]
    if strange or bare:
        named = [f"{name} ({licence[:60]})" for name, licence in strange.items()] + bare
        return Finding(False, f"Read these licences and decide: {', '.join(named)}.")
    return Finding(
        True, f"{len(names)} packages: all permissive, but for {len(cuda)} of NVIDIA's that CUDA's torch brings."
    )


def closure(requirements: Path) -> set[str]:
    """The packages installed here that these requirements bring, directly or not."""
    lines = [line for line in requirements.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"]
    waiting, found = [Requirement(line) for line in lines], set()
    while waiting:
        requirement = waiting.pop()
        try:
            package = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            continue  # of another system or an extra that nobody asked for
        name = re.sub(r"[-_.]+", "-", requirement.name.lower())
        if name not in found:
            found.add(name)
            waiting += [needed for needed in map(Requirement, package.requires or ()) if _here(needed)]
    return found


def _here(needed: Requirement) -> bool:
    return needed.marker is None or needed.marker.evaluate({"extra": ""})


def licence_of(name: str) -> str:
    """As the package says it: SPDX expression, classifier, or the first line of its words."""
    about = metadata.metadata(name)
    classes = [line for line in about.get_all("Classifier") or () if line.startswith("License :: OSI Approved :: ")]
    said = about.get("License-Expression") or next((line.rpartition(" :: ")[2] for line in classes), "")
    return said or next(iter((about.get("License") or "").strip().splitlines()), "")


def published() -> Iterator[tuple[str, str, tuple[int, int]]]:
    """What the lab downloads: name, address, and the sizes between which it lies."""
    from torchvision.datasets import CIFAR10
    from torchvision.models import GoogLeNet_Weights

    yield "CIFAR-10", CIFAR10.url, CIFAR_BYTES
    yield "ImageNet weights", GoogLeNet_Weights.IMAGENET1K_V1.url, IMAGENET_BYTES


def addresses(tests: str) -> Finding:
    """Only the headers are asked for."""
    told = []
    for name, url, (least, most) in published():
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                size = int(answer.headers.get("Content-Length") or 0)
        except urllib.error.HTTPError as error:
            return Finding(False, f"{name} is no longer at {url}: {error}.")
        except (OSError, http.client.HTTPException) as error:
            return Finding(None, f"There is no way to {url} from here ({getattr(error, 'reason', None) or error}).")
        if not least <= size <= most:
            return Finding(False, f"{name} at {url} has {size:,} bytes now, and had {least:,} to {most:,}.")
        told.append(f"{name} has {size:,} bytes")
    return Finding(True, f"{', '.join(told)}.")


def last_line(text: str) -> str:
    """What a program said last."""
    return (text.strip().splitlines() or ["nothing said"])[-1][:200]


CHECKS: dict[str, Callable[[str], Finding]] = {
    "newest": newest,
    "private": private,
    "licences": licences,
    "addresses": addresses,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the checks that were named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--tests", default="tests", help="what `newest` runs")
    options = parser.parse_args(arguments)
    if unknown := set(options.checks) - set(CHECKS):
        parser.error(f"there is no check {', '.join(sorted(unknown))}: choose from {', '.join(CHECKS)}")
    failed = False
    for name in options.checks or CHECKS:
        found = CHECKS[name](options.tests)
        word = {True: "good", False: "FAILED", None: "skipped"}[found.good]
        print(f"{name:10} {word:8} {found.sentence}", flush=True)
        failed |= found.good is False
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
