"""GoogLeNet Lab in the browser: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line, after those of the environment (googlenet/ui/hosting.py)."""
    from googlenet import __version__
    from googlenet.ui.hosting import hosting

    here = hosting(os.environ)
    parser = argparse.ArgumentParser(
        description="GoogLeNet Lab in the browser.", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--host", default=here.host, help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument(
        "--port", type=int, default=here.port, help="port to listen on (None: the first free one from 7860)"
    )
    parser.add_argument("--data", default="cifar10", help="cifar10, shapes, or a folder with train/ and test/")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where runs are kept")
    parser.add_argument("--share", action="store_true", help="also open a public link through Gradio")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask for this name and password")
    hint = "visitors watch, build, evaluate and classify only"
    parser.add_argument("--read-only", action=argparse.BooleanOptionalAction, default=here.read_only, help=hint)
    hint = "a class page: each visitor has up to N runs, and stops and changes no other's"
    parser.add_argument("--max-runs-per-visitor", type=int, metavar="N", help=hint)
    parser.add_argument("--mcp", action="store_true", help="agents may look and ask too, by MCP at /mcp")
    parser.add_argument("--mcp-write", action="store_true", help="agents may also start, stop and change trainings")
    hint = "a site, such as https://example.org, that may show the page inside its own; may be repeated"
    parser.add_argument("--allow-framing", action="append", default=[*here.framing], metavar="ORIGIN", help=hint)
    parser.add_argument("--version", action="version", version=f"GoogLeNet Lab {__version__}")
    options = parser.parse_args([*here.options, *(sys.argv[1:] if arguments is None else arguments)])
    options.mcp |= options.mcp_write
    return options


def main(arguments: list[str] | None = None) -> int:
    """Open the lab; returns when it is closed."""
    from googlenet.data.datasets import check_source
    from googlenet.errors import LabError, check_whole
    from googlenet.ui.hosting import check_origin

    try:
        options = parse_arguments(arguments)
        check_source(options.data)
        auth = tuple(options.auth.split(":", 1)) if options.auth else None
        if auth and (len(auth) != 2 or not all(auth)):
            raise LabError("--auth needs a name and a password, as USER:PASSWORD.")
        if options.port is not None and not 0 < options.port < 65_536:
            raise LabError(f"--port must be from 1 to 65535, not {options.port}.")
        if options.max_runs_per_visitor is not None:
            check_whole(options.max_runs_per_visitor, "--max-runs-per-visitor", 1, 10_000)
        framing = tuple(check_origin(site) for site in options.allow_framing)
        if options.mcp_write and options.read_only:
            raise LabError("--mcp-write and --read-only contradict each other: leave one of them out.")
        if options.mcp:
            from googlenet.ui.api.agents.server import check_installed

            check_installed()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

    # Almost all that is imported and built from here on stays. Python searched it for garbage again and again while it
    # grew, which took a quarter of the time until it answers; without, 7 MB of garbage stay.
    gc.disable()

    from googlenet.models.memory import reuse_memory
    from googlenet.training.queue.runner import keep_running
    from googlenet.ui.app import build_app
    from googlenet.ui.events.access import is_public
    from googlenet.ui.guard import Doors
    from googlenet.ui.page import launch_options

    reuse_memory()
    checkpoints = options.checkpoints.absolute()
    public = is_public(options.host, login=auth is not None, share=options.share)
    rights = {"read_only": options.read_only, "most_runs": options.max_runs_per_visitor}
    doors = Doors(local=not public, framing=framing, harmless=public and options.read_only and auth is None)
    keep_running(checkpoints)
    demo = build_app(checkpoints, options.data, public=public, **rights)
    launch = launch_options(checkpoints, public=public, read_only=options.read_only, doors=doors)
    if options.mcp:
        from googlenet.ui.api.agents.server import add_mcp

        add_mcp(launch, demo, write=options.mcp_write)
    gc.freeze()
    gc.enable()
    try:
        demo.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            auth=auth,
            **launch,
        )
    except OSError as error:  # the port is taken
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
