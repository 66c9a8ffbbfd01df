"""New entries against the labelled ones."""

from __future__ import annotations

from typing import Annotated

import typer

from tagger.cli.options import ModelOption, OutputOption, ReportFormatOption, WorkspaceOption, YearOption, choose_report_format
from tagger.cli.output import print_to_stderr, write_result
from tagger.errors import ExitStatus
from tagger.formats.registry import read_files
from tagger.labels.dataset import read_labels
from tagger.reports import drift as drift_report
from tagger.workspace.workspace import load_model, require_workspace


def drift(
    listings: Annotated[
        list[str], typer.Argument(metavar="LISTING", help="New entries: listings or JSON Lines; '-' is stdin.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if it is time to label more.")] = False,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="Name at most N entries that would teach most.")] = 10,
    format: ReportFormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    year: YearOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """How new entries differ; whether to label more."""
    from tagger.curation.drift import measure_drift

    form = choose_report_format(format, output)
    workspace = require_workspace(folder)
    tagger = load_model(model, workspace)
    labels = read_labels(workspace.labels)
    listing = read_files(listings, year)
    print_to_stderr((*labels.warnings, *listing.warnings))
    if tagger.training.labels_hash != labels.hash():
        print_to_stderr([f"the model is not what {workspace.labels} gives; 'tagger retrain' makes it anew"])
    measured = measure_drift(tagger, labels, listing.require_entries(), top)
    write_result(drift_report.drift_text(measured, form), output)
    if check and measured.label_more:
        raise typer.Exit(ExitStatus.REFUSED)
