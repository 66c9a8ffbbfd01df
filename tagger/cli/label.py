"""Labelling in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.options import ModelOption, WorkspaceOption, YearOption
from tagger.cli.output import print_to_stderr
from tagger.cli.terminal import Terminal, open_terminal
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
    folder: WorkspaceOption = None,
) -> None:
    """Label entries one at a time, on a terminal."""
    from tagger.curation.session import start_session
    from tagger.labels.store import LabelStore

    workspace = require_workspace(folder)
    tagger = load_model(model, workspace)
    hand = workspace.read_hand_labels()
    listing = read_files(files, year)
    print_to_stderr(listing.warnings)
    state = start_session(listing.require_entries(), hand.taxonomy, hand.rows, tagger, everything)
    store = LabelStore(workspace.labels)
    if state.view:
        with open_terminal() as terminal:
            state = _label_on(terminal, state, store.save, tagger)
    print_to_stderr([f"{state.n_labelled} of {len(state.entries)} entries are labelled in {store.table}"])


def _label_on(
    terminal: Terminal, state: LabellingSession, save: Callable[[LabelEdit], SavedRows], model: Model
) -> LabellingSession:
    """Label entries until the person leaves; the state then."""
    from tagger.cli.label_screen import MIN_HEIGHT, MIN_WIDTH, render_screen
    from tagger.curation.session import find_telling_positions
    from tagger.curation.session_keys import act_on_key

    entries = state.entries
    telling = cache(lambda n: find_telling_positions(model, entries[n]))
    while not state.done:
        width, height = terminal.read_size()
        lines, state = render_screen(state, () if state.current is None else telling(state.current), width, height)
        terminal.paint(lines)
        key = terminal.read_key()
        # A screen that is too small does not show what a key does, so no key does anything.
        if key is not None and width >= MIN_WIDTH and height >= MIN_HEIGHT:
            state = act_on_key(state, key, save)
    return state
