"""The model as a scikit-learn pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.options import ModelOption, WorkspaceOption
from tagger.cli.output import print_to_stderr
from tagger.workspace.workspace import find_workspace, load_model


def export(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.joblib", help="File to write.")],
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the equivalent scikit-learn Pipeline with joblib."""
    from tagger.model.sklearn_export import save_pipeline

    save_pipeline(load_model(model, find_workspace(workspace)), pipeline)
    print_to_stderr([f"written: {pipeline}; it reads texts as tagger.entry_text makes them"])
