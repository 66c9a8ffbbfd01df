"""What changed between two runs or two models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import ModelOption, OutputOption, ReportFormatOption, WorkspaceOption, YearOption, choose_report_format
from tagger.cli.output import print_to_stderr, write_result
from tagger.formats.registry import read_files
from tagger.labels.dataset import read_labels
from tagger.model.storage import load
from tagger.workspace.workspace import find_workspace, load_model, require_workspace


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Output folder, CSV or JSON Lines file, or model file.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The same kind of thing, later.")],
    listings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="LISTING", help="Entries: to compare two models on, or to explain the change of two runs by."),
    ] = None,
    format: ReportFormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    year: YearOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """What changed between two runs or two models."""
    from tagger.batch.diff import diff_models, diff_runs
    from tagger.reports.batch import format_diff

    form = choose_report_format(format, output)
    listing = read_files(listings or [], year)
    print_to_stderr(listing.warnings)
    entries = listing.require_entries()
    if {old.suffix, new.suffix} == {".safetensors"}:
        if not listings:
            entries = read_labels(require_workspace(workspace).labels).entries
        comparison = diff_models(load(old), load(new), entries, (str(old), str(new)))
    else:
        explainer = load_model(model, find_workspace(workspace)) if entries else None
        comparison = diff_runs(old, new, entries, explainer)
    write_result(format_diff(comparison, form), output)
