"""Imports run one way, and nothing heavy comes in before it is needed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = sorted((ROOT / "googlenet").rglob("*.py"))
# A room may import those before it, except that training and inference stand side by side. `__init__` and `__main__`
# are doors: they name all rooms below the UI.
ROOMS = (
    "language",
    "errors",
    "config",
    "recipes",
    "files",
    "models",
    "lessons",
    "data",
    "runs",
    "inference",
    "training",
    "cli",
    "ui",
)
NO_TORCH = (
    "googlenet",
    "googlenet.cli.main",
    "googlenet.errors",
    "googlenet.language",
    "googlenet.config",
    "googlenet.recipes",
    "googlenet.models.presets",
    "googlenet.models.profile",
    "googlenet.models.profile.inspect",
    "googlenet.models.paper",
    "googlenet.models.formats.share",
    "googlenet.models.formats.codegen",
    "googlenet.lessons.handin",
    "googlenet.lessons.questions",
    "googlenet.cli.build",
    "googlenet.data.datasets",
    "googlenet.runs",
    "googlenet.training.launcher",
    "googlenet.training.session",
    "googlenet.training.planning.command",
    "googlenet.training.planning.costs",
    "googlenet.training.planning.trial",
)


def room(file: Path) -> str:
    return file.relative_to(ROOT / "googlenet").parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """Dotted names of all that `file` imports, inside functions too; relative ones made absolute."""
    package = file.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *filter(None, [node.module])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file):
    here = room(file)
    last = ROOMS.index("cli" if here in ("__init__", "__main__") else here)
    allowed = (*ROOMS[: last + 1], "__version__")
    for name in imported(file):
        parts = name.split(".")
        assert parts[0] != "app", f"{file.name} imports app.py"
        if parts[0] == "gradio":
            assert here == "ui", f"{file.name} imports gradio"
        if parts[0] == "googlenet" and len(parts) > 1:
            assert parts[1] in allowed, f"{file.name}, in {here}, imports {name}"
            assert {here, parts[1]} != {"inference", "training"}, f"{file.name}, in {here}, imports {name}"


def known_to(file: Path) -> set[str]:
    """All that `file` imports, also what comes through the door of a package."""
    names = imported(file)
    doors = {ROOT.joinpath(*name.split(".")[:depth], "__init__.py") for name in names for depth in range(2, 5)}
    return names.union(*(imported(door) for door in doors if door.is_file()))


def walks() -> dict[str, list[Path]]:
    """The files of each walk in CONTRIBUTING; a name without a folder is in that of the name before it."""
    found = {}
    for name, line in re.findall(r"\* \*\*(.+?)\.\*\*(.+?)(?=\n\* |\n\n)", TEXT.split("## Four walks")[1], re.DOTALL):
        folder, found[name] = ROOT, []
        for file in re.findall(r"`([\w/]+(?:\.\w+|/))`", line):
            house = ROOT / "googlenet"
            places = [house / file, house / "ui" / file] if "/" in file else [folder / file, house / file]
            place = next((place for place in places if place.exists()), None)
            assert place is not None, f"{name}: there is no {file}"
            found[name].append(place)
            folder = place if place.is_dir() else place.parent
    return found


@pytest.mark.parametrize("name", ["A slider moves", "Start", "A photo", "Promote"])
def test_a_walk_goes_from_file_to_file(name):
    """Each is imported by one that comes before it; the trainer's and the browser's own beginnings are not."""
    begins, before = {"panel.py", "tab.py", "main.py", "watch.js", "watch.py"}, set()
    for file in walks()[name]:
        if file.suffix == ".py":
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            reached = any(known == module or known.startswith(f"{module}.") for known in before)
            assert reached or file.name in begins, f"nothing before it imports {module}"
            before |= known_to(file)


def test_the_rooms_are_all_there_are():
    found = {room(file) for file in FILES} - {"__init__", "__main__"}
    assert found <= set(ROOMS)


def test_the_public_names_are_there():
    code = "import googlenet; print([name for name in googlenet.__all__ if getattr(googlenet, name, None) is None])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_forms_are_checked_without_torch():
    """Starting the app or a trainer, reading a run, profiling a network: none of them waits for torch."""
    code = f"""
import importlib, sys
for name in {NO_TORCH!r}:
    importlib.import_module(name)
    heavy = {{"torch", "torchvision", "numpy", "PIL", "matplotlib", "gradio", "pandas"}} & set(sys.modules)
    assert not heavy, f"{{name}} imports {{heavy}}"
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network
profile_network(preset("cifar10", aux_heads=True))
TrainConfig.from_json(make_train_config("r", preset("cifar10")).to_json())
assert "torch" not in sys.modules
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_everything_below_the_ui_works_without_gradio():
    code = """
import importlib, pkgutil, sys
sys.modules["gradio"] = None  # an import of it now fails
import googlenet
for module in pkgutil.walk_packages(googlenet.__path__, "googlenet."):
    if ".ui" not in module.name:
        importlib.import_module(module.name)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert result.returncode == 0, result.stderr
