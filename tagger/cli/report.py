"""A page that says how good the model is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr, progress_bar, write_result
from tagger.errors import UsageError
from tagger.labels.dataset import read_labels
from tagger.workspace.workspace import require_workspace


def report(
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", metavar="FILE", help="Write to a file such as report.html; whole or not at all."),
    ] = None,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve/--no-learning-curve",
            help="Whether to train on parts of the labels too, to show what more of them brought; it takes twice as long.",
        ),
    ] = True,
    folder: WorkspaceOption = None,
) -> None:
    """A page of figures and pictures: how good the model is."""
    from tagger.reports.page import build_report, require_report_packages

    if output is None and sys.stdout.isatty():
        raise UsageError("a report is a page of HTML; give -o report.html")
    require_report_packages()
    workspace = require_workspace(folder)
    labels = read_labels(workspace.labels)
    print_to_stderr(labels.warnings)
    with progress_bar("training") as show:
        page = build_report(workspace, labels, learning_curve, n_jobs=os.cpu_count() or 1, progress=show)
    write_result(page, output)
