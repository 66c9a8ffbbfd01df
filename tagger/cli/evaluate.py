"""Figures on other labelled entries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import FormatOption, ModelOption, OutputOption, WorkspaceOption, YearOption, choose_format
from tagger.cli.output import print_to_stderr, write_result
from tagger.formats.csv_table import CSV
from tagger.formats.json_lines import JSON_LINES
from tagger.formats.markdown import MARKDOWN
from tagger.formats.table import TABLE
from tagger.reports import figures as figures_report
from tagger.workspace.workspace import find_workspace, load_model


def evaluate(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A listing with --labels, or JSON Lines with topics; '-' is standard input.")
    ],
    labels: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--labels", metavar="CSV", help="Table with the columns id,title,topics,unsure."),
    ] = None,
    format: FormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    year: YearOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Figures of a model on other labelled entries."""
    from tagger.evaluation.labelled_sets import evaluate_model, read_labelled_set

    form = choose_format(format, output, allowed=(TABLE, JSON_LINES, CSV, MARKDOWN)).name
    tagger = load_model(model, find_workspace(folder))
    labelled_set = read_labelled_set(file, labels, tagger.taxonomy, year)
    evaluation = evaluate_model(tagger, labelled_set)
    if n := evaluation.n_trained_on:
        print_to_stderr([f"{n} of {len(labelled_set.entries)} entries are left out: the model was trained on them"])
    write_result(figures_report.figures_text(evaluation.figures, tagger, form), output)
