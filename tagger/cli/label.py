"""Labelling in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.options import ModelOption, WorkspaceOption, YearOption
from tagger.cli.output import warn
from tagger.cli.terminal import Terminal, terminal
from tagger.formats.registry import read_files
from tagger.workspace.workspace import load_model, require_workspace

if TYPE_CHECKING:
    from tagger.curation.session import LabellingSession
    from tagger.labels.store import LabelEdit, SavedRows
    from tagger.model.model import Model


def label(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Listings or JSON Lines.")],
    everything: Annotated[bool, typer.Option("--all", help="Go through the entries that are labelled, too.")] = False,
    model: ModelOption = None,
    year: YearOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Label entries one at a time, on a terminal."""
    from tagger.curation.session import start_session
    from tagger.labels.store import LabelStore

    place = require_workspace(workspace)
    tagger = load_model(model, place)
    hand = place.read_hand_labels()
    listing = read_files(files, year)
    warn(listing.warnings)
    state = start_session(listing.all(), hand.taxonomy, hand.rows, tagger, everything)
    folder = LabelStore(place.labels)
    if state.view:
        with terminal() as screen:
            state = _labelled(state, screen, folder.save, tagger)
    warn([f"{state.n_labelled} of {len(state.entries)} entries are labelled in {folder.table}"])


def _labelled(state: LabellingSession, at: Terminal, save: Callable[[LabelEdit], SavedRows], model: Model) -> LabellingSession:
    """The state when somebody leaves."""
    from tagger.cli.label_screen import SMALLEST, screen
    from tagger.curation.session import act_on_key, telling_positions

    places = cache(lambda n: telling_positions(model, state.entries[n]))
    while not state.done:
        width, height = at.size()
        lines, state = screen(state, places(state.n) if state.n is not None else (), width, height)
        at.paint(lines)
        key = at.key()
        # On a screen too small to show what a key does, none does anything.
        if key is not None and width >= SMALLEST[0] and height >= SMALLEST[1]:
            state = act_on_key(state, key, save)
    return state
