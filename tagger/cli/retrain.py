"""From corrected labels to a better model, or to a refusal."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr, progress_bar, write_result
from tagger.errors import ExitStatus
from tagger.labels.dataset import read_labels
from tagger.model.storage import model_to_bytes
from tagger.reports import card as card_report
from tagger.reports import figures as figures_report
from tagger.workspace.promotion import finish_interrupted, previous_model, promote_model
from tagger.workspace.workspace import load_replaceable_model, require_workspace


def retrain(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the model is what the labels give; exit 1 if not.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Train even if nothing changed, and keep a model that is worse.")
    ] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Train the model anew from the labels."""
    from tagger.evaluation.figures import require_figures
    from tagger.training.settings import Settings
    from tagger.workspace.retrain import describe_not_learned, is_current, retrain_model

    workspace = require_workspace(folder)
    labels = read_labels(workspace.labels)
    print_to_stderr(labels.warnings)
    if not check:
        finish_interrupted(workspace)
    old, problem = load_replaceable_model(workspace)
    print_to_stderr([f"{problem} (it is made anew)"] if problem else [])
    current = is_current(old, labels, Settings())
    if check:
        state = f"up to date with {workspace.labels}" if current else f"not what {workspace.labels} gives"
        write_result(f"{workspace.model} is {state}\n")
        raise typer.Exit(ExitStatus.DONE if current else ExitStatus.REFUSED)
    if current and not force:
        print_to_stderr([f"{workspace.model} is up to date with {workspace.labels}; nothing to do"])
        return
    with progress_bar("training") as show:
        retraining = retrain_model(old, labels, Settings(), os.cpu_count() or 1, show)
    new, comparison = retraining.model, retraining.comparison
    write_result(figures_report.figures_text(require_figures(new), new, shown=("precision", "recall", "f1")) + "\n")
    if comparison is not None:
        write_result(figures_report.comparison_text(comparison))
    if retraining.not_compared:
        topics = ", ".join(retraining.not_compared)
        print_to_stderr([f"not compared, since another precision is asked for than before: {topics}"])
    print_to_stderr([*describe_not_learned(new, Settings().min_positives), *card_report.describe_missed_goals(new)])
    if comparison is not None and comparison.worse and not force:
        print_to_stderr(
            [
                f"{workspace.model} is kept: the new model is significantly worse (p = {comparison.p_worse:.3f}). "
                "Look at the labels that you changed; --force replaces it all the same."
            ]
        )
        raise typer.Exit(ExitStatus.REFUSED)
    promote_model(workspace, model_to_bytes(new), card_report.model_card(new))
    replaced = f"; the one before is {previous_model(workspace)}" if previous_model(workspace).exists() else ""
    print_to_stderr([f"written: {workspace.model}, {workspace.card}{replaced}"])
