"""The daily command."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Optional

import typer

from tagger.cli.options import (
    FormatOption,
    ModelOption,
    NoLabelsOption,
    OutputOption,
    WorkspaceOption,
    YearOption,
    choose_format,
)
from tagger.cli.output import print_to_stderr, terminal_width, write_result
from tagger.errors import UsageError
from tagger.formats.format import WriteOptions
from tagger.formats.registry import read_files
from tagger.formats.wording import summarize_tags
from tagger.workspace.workspace import HandLabels, find_workspace, load_model


def tag(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Listings or JSON Lines; '-' is standard input.")],
    format: FormatOption = None,
    output: OutputOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add the words that spoke for and against each topic.")] = False,
    all_scores: Annotated[bool, typer.Option("--all-scores", help="Add the score of every topic.")] = False,
    topics: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--topics", metavar="IDS", help="Only these topics, as in 'ctr,llm'."),
    ] = None,
    model: ModelOption = None,
    year: YearOption = None,
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--since", metavar="REVISION", help="Only entries that the files did not have at this git revision."),
    ] = None,
    no_labels: NoLabelsOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Topics of each entry, best first, with scores."""
    written = choose_format(format, output)
    if explain and not written.shows_reasons:
        raise UsageError(f"--format {written.name} has no place for words; choose another format")
    if all_scores and not written.shows_scores:
        raise UsageError(f"--format {written.name} has no place for every score; choose another format")
    place = find_workspace(workspace)
    tagger = load_model(model, place)
    hand = place.read_hand_labels() if place is not None and not no_labels else HandLabels()
    if topics is not None:
        chosen = [id.strip() for id in topics.split(",") if id.strip()]
        if not chosen:
            raise UsageError("--topics: expected ids of topics, as in 'ctr,llm', found none")
        tagger = tagger.restricted_to(chosen)
    listing = read_files(files, year)
    if since is not None:
        from tagger.workspace.git import entries_added_since

        listing = replace(listing, entries=entries_added_since(since, listing.entries))
    tagged = tagger.tag(listing.entries, hand.rows, hand.taxonomy, all_scores)
    if explain:
        from tagger.model.explain import add_reasons

        tagged = add_reasons(tagger, tagged)
    print_to_stderr(listing.warnings)
    if output is None or not listing.problems:
        options = WriteOptions(tagger.scored_topics if all_scores else None, width=terminal_width(output))
        write_result(written.write(tagged, options), output)
    else:
        print_to_stderr([f"{output}: not written, because of this:"])
    listing.require_entries()
    print_to_stderr([summarize_tags(tagged)])
