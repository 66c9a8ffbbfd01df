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
from tagger.cli.output import print_to_stderr, terminal_width, write_result
from tagger.errors import UsageError
from tagger.formats.listing import Listing
from tagger.formats.registry import read_files
from tagger.labels.dataset import Labels, read_labels
from tagger.reports.why import format_explanations
from tagger.workspace.workspace import Workspace, find_workspace, load_model


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

    report_format = choose_report_format(format, output)
    used_workspace = find_workspace(workspace)
    used_model = load_model(model, used_workspace)
    labels = read_labels(used_workspace.labels) if used_workspace is not None else None
    listing = _choose_entries(what, used_workspace, labels, year)
    print_to_stderr(listing.warnings)
    explanations = explain_entries(used_model, listing.require_entries(), labels, topics or (), similar)
    width = terminal_width(output) if report_format == ReportFormat.text else None
    write_result(format_explanations(explanations, report_format, width), output)


def _choose_entries(what: str, workspace: Workspace | None, labels: Labels | None, year: int | None) -> Listing:
    """The labelled entry with this id, else the entries of this file."""
    labelled = {entry.id: entry for entry in labels.entries} if labels is not None else {}
    if what in labelled:
        return Listing((labelled[what],))
    if what == "-" or Path(what).exists():
        return read_files([what], year)
    entry = f"the id of an entry of {workspace.labels}" if workspace else "a labelled entry (there is no workspace here)"
    raise UsageError(f"{what}: neither {entry} nor a file that is there")
