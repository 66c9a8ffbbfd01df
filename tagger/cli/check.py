"""Whether labels and model are in order."""

from __future__ import annotations

from typing import Annotated

import typer

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr, write_result
from tagger.errors import ExitStatus
from tagger.workspace.workspace import require_workspace


def check(
    labels_only: Annotated[bool, typer.Option("--labels-only", help="Leave the model out.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Whether labels are in order and the model is what they give."""
    from tagger.workspace.checks import check_workspace

    checked = check_workspace(require_workspace(folder), labels_only)
    write_result("".join(f"{problem}\n" for problem in checked.problems))
    if checked.labels is not None:
        print_to_stderr(checked.labels.warnings)
    if checked.problems:
        raise typer.Exit(ExitStatus.REFUSED)
