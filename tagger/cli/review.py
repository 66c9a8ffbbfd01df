"""The page for labelling."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Optional

import typer

from tagger.cli.options import ModelOption, WorkspaceOption, YearOption
from tagger.cli.output import print_to_stderr
from tagger.formats.registry import read_files
from tagger.workspace.workspace import load_model, require_workspace


def review(
    listings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="LISTING", help="Listings or JSON Lines to label; without one, the labels are reviewed."),
    ] = None,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 for a free one.")] = 8417,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; one that others can reach needs --token.")
    ] = "127.0.0.1",
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--token",
            metavar="SECRET",
            envvar="TAGGER_TOKEN",
            help="Secret that every visitor must give; safer in the environment.",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page, where there is a desktop.")] = True,
    model: ModelOption = None,
    year: YearOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Label in the browser, train, and review labels."""
    from tagger.server.serving import check_can_serve, serve

    check_can_serve(host, token)
    folder = require_workspace(workspace)
    loaded = load_model(model, folder)
    listing = read_files(listings or [], year)
    print_to_stderr(listing.warnings)
    from tagger.server.jobs import JobRunner
    from tagger.server.review import Review
    from tagger.server.session import ReviewSession

    page_review = Review(ReviewSession(folder, loaded, listing.require_entries()), JobRunner())
    serve(page_review, host, port, token, audit=not listings, ready=lambda address: _ready(address, browser))


def _ready(address: str, browser: bool) -> None:
    print_to_stderr([f"{address} (Ctrl-C ends it)"])
    desktop = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if browser and desktop and sys.stderr.isatty():
        import webbrowser

        webbrowser.open(address)
