"""Why an entry has its topics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import (
    ModelOption,
    OutputOption,
    ReportFormat,
    ReportFormatOption,
    WorkspaceOption,
    YearOption,
    choose_report_format,
)
from tagger.cli.output import emit, terminal_width, warn
from tagger.errors import UsageError
from tagger.formats.listing import Listing
from tagger.formats.registry import read_files
from tagger.labels.dataset import read_labels
from tagger.reports import why as why_report
from tagger.workspace.workspace import find_workspace, load_model


def why(
    what: Annotated[
        str,
        typer.Argument(metavar="ENTRY_ID|FILE", help="A labelled entry, or a listing or JSON Lines; '-' is standard input."),
    ],
    topics: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--topic", "-t", metavar="ID", help="Explain this topic; may be repeated. By default those tagged, and two more."
        ),
    ] = None,
    similar: Annotated[int, typer.Option("--similar", metavar="N", min=0, help="Name at most N similar labelled entries.")] = 5,
    format: ReportFormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    year: YearOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """The words for and against each topic, and precedents."""
    from tagger.model.explain import explain_entries

    form = choose_report_format(format, output)
    place = find_workspace(workspace)
    tagger = load_model(model, place)
    labels = read_labels(place.labels) if place is not None else None
    labelled = {entry.id: entry for entry in labels.entries} if labels is not None else {}
    if what in labelled:
        listing = Listing((labelled[what],))
    elif what == "-" or Path(what).exists():
        listing = read_files([what], year)
    else:
        entry = f"the id of an entry of {place.labels}" if place else "a labelled entry (there is no workspace here)"
        raise UsageError(f"{what}: neither {entry} nor a file that is there")
    warn(listing.warnings)
    explanations = explain_entries(tagger, listing.all(), labels, topics or (), similar)
    emit(
        why_report.format_explanations(explanations, form, terminal_width(output) if form == ReportFormat.text else None),
        output,
    )
