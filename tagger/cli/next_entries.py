"""What to label next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import ModelOption, OutputOption, ReportFormatOption, WorkspaceOption, YearOption, choose_report_format
from tagger.cli.output import print_to_stderr, write_result
from tagger.formats.registry import read_files
from tagger.labels.dataset import read_labels
from tagger.model.storage import load
from tagger.reports import drift as drift_report
from tagger.workspace.promotion import previous_model
from tagger.workspace.workspace import load_model, require_workspace


def next_entries(
    pool: Annotated[
        list[str], typer.Argument(metavar="POOL", help="Entries to choose from: listings or JSON Lines; '-' is stdin.")
    ],
    number: Annotated[int, typer.Option("--number", "-n", metavar="N", min=0, help="Name at most N entries.")] = 20,
    before: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--before", metavar="FILE", help="A model of fewer labels to compare with; by default the one that was replaced."
        ),
    ] = None,
    format: ReportFormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    year: YearOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """What to label next; whether more labels still help."""
    from tagger.curation.stopping import stopping_advice

    form = choose_report_format(format, output)
    workspace = require_workspace(folder)
    tagger = load_model(model, workspace)
    if before is None and previous_model(workspace).exists():
        before = previous_model(workspace)
    labels = read_labels(workspace.labels)
    listing = read_files(pool, year)
    print_to_stderr((*labels.warnings, *listing.warnings))
    if tagger.training.labels_hash != labels.hash():
        print_to_stderr([f"the model is not what {workspace.labels} gives; 'tagger retrain' makes it anew"])
    advice = stopping_advice(tagger, labels, listing.require_entries(), number, None if before is None else load(before))
    write_result(drift_report.advice_text(advice, form), output)
