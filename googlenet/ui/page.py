"""How the page looks and what it may do: theme, styles and scripts of `static/`, and the options of `Blocks.launch`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio import themes
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from googlenet.ui.classify.many.limits import limits
from googlenet.ui.events.downloads import download_route
from googlenet.ui.events.gradio_private import UNCHECKED, misfit_handlers
from googlenet.ui.guard import Doors, Guard
from googlenet.ui.spoken import Spoken
from googlenet.ui.train.watch import Watcher

STATIC = Path(__file__).with_name("static")
VENDOR = Mount("/vendor", StaticFiles(directory=STATIC / "vendor"))  # others' work, each with its licence
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

# Gradio's own are 9, 10 and 12 px at the small end: too small to be read.
TEXT = themes.Size("12.5px", "12.5px", "13px", "14px", "16px", "22px", "26px")


def launch_options(
    checkpoints: Path, *, public: bool = False, read_only: bool = False, doors: Doors | None = None
) -> dict[str, Any]:
    """For `Blocks.launch`: nothing is fetched from another host, and `doors` say who may ask (guard.py)."""
    routes = [Watcher(checkpoints, read_only=read_only).route(), download_route(checkpoints), VENDOR]
    spoken = Middleware(Spoken)
    guard = Middleware(Guard, doors=doors or Doors(local=not public), script=scripts())
    return {
        "theme": theme(),
        "css_paths": in_order("css"),
        "head": f"<script>{scripts()}</script>",
        **UNCHECKED,
        "run_history": False,
        "ssr_mode": False,
        "max_file_size": limits(public).file_bytes,
        "footer_links": ["api"],
        "mcp_server": False,  # Gradio's own shows all endpoints, and asks for no password: see api/agents
        "strict_cors": True,
        "app_kwargs": {
            "routes": routes,
            "middleware": [spoken, guard],
            "exception_handlers": misfit_handlers(),
        },
    }


def theme() -> themes.Base:
    """Gradio's default in blue and slate, where that misses WCAG AA (4.5 to 1 for text, 3 to 1 for controls) darker."""
    blue = themes.Default(primary_hue="blue", neutral_hue="slate", text_size=TEXT, font=FONTS, font_mono=MONO)
    return blue.set(
        color_accent="*primary_600",  # base.css has the dark one
        link_text_color_dark="*secondary_400",
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_border_color="*neutral_500",
        input_border_color_dark="*neutral_500",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )


def scripts() -> str:
    """The page's JavaScript: every function of `static/*/*.js` is a property of `window.googlenet`."""
    return "\n".join(path.read_text(encoding="utf-8") for path in in_order("js"))


def in_order(ending: str) -> list[Path]:
    """The page's files with this ending, a folder a tab, by name: base.css comes first."""
    return sorted(STATIC.glob(f"*/*.{ending}"), key=lambda path: path.name)
