"""From corrected labels to a better model, or to a refusal."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr, progress_bar, write_result
from tagger.errors import ExitStatus, ModelError
from tagger.labels.dataset import read_labels
from tagger.model.model import Model
from tagger.model.storage import load, model_to_bytes
from tagger.reports import card as card_report
from tagger.reports import figures as figures_report
from tagger.workspace.promotion import finish_interrupted, previous_model, promote
from tagger.workspace.workspace import Workspace, require_workspace


def retrain(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the model is what the labels give; exit 1 if not.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Train even if nothing changed, and keep a model that is worse.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train the model anew from the labels."""
    from tagger.evaluation.comparison import compare_models, topics_with_other_goals
    from tagger.evaluation.figures import require_figures
    from tagger.training.settings import Settings
    from tagger.workspace.retrain import describe_not_learned, is_current, train_from_labels

    place = require_workspace(workspace)
    labels = read_labels(place.labels)
    print_to_stderr(labels.warnings)
    if not check:
        finish_interrupted(place)
    old = _old(place)
    current = is_current(old, labels, Settings())
    if check:
        write_result(
            f"{place.model} is {'up to date with' if current else 'not what'} {place.labels}{'' if current else ' gives'}\n"
        )
        raise typer.Exit(ExitStatus.DONE if current else ExitStatus.REFUSED)
    if current and not force:
        print_to_stderr([f"{place.model} is up to date with {place.labels}; nothing to do"])
        return
    with progress_bar("training") as told:
        new = train_from_labels(labels, Settings(), n_jobs=os.cpu_count() or 1, progress=told)
    write_result(figures_report.figures_text(require_figures(new), new, shown=("precision", "recall", "f1")) + "\n")
    comparison = compare_models(old, new, labels) if old is not None else None
    if comparison is not None:
        write_result(figures_report.comparison_text(comparison))
    if old is not None and (changed := topics_with_other_goals(old, new)):
        print_to_stderr([f"not compared, since another precision is asked for than before: {', '.join(changed)}"])
    print_to_stderr([*describe_not_learned(new, Settings().min_positives), *card_report.describe_missed_goals(new)])
    if comparison is not None and comparison.worse and not force:
        print_to_stderr(
            [
                f"{place.model} is kept: the new model is significantly worse (p = {comparison.p_worse:.3f}). "
                "Look at the labels that you changed; --force replaces it all the same."
            ]
        )
        raise typer.Exit(ExitStatus.REFUSED)
    promote(place, model_to_bytes(new), card_report.model_card(new))
    kept = f"; the one before is {previous_model(place)}" if previous_model(place).exists() else ""
    print_to_stderr([f"written: {place.model}, {place.card}{kept}"])


def _old(place: Workspace) -> Model | None:
    """The model that is there; one that cannot be read is as good as none, and said so."""
    if not place.model.exists():
        return None
    try:
        return load(place.model)
    except ModelError as error:
        print_to_stderr([f"{error} (it is made anew)"])
        return None
