"""Back to the model before."""

from __future__ import annotations

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr
from tagger.workspace.promotion import previous_model, restore_previous_model
from tagger.workspace.workspace import require_workspace


def rollback(folder: WorkspaceOption = None) -> None:
    """Put back the model that the last retraining replaced; once more puts the newer one back."""
    workspace = require_workspace(folder)
    restore_previous_model(workspace)
    print_to_stderr(
        [
            f"written: {workspace.model}, {workspace.card}; the model that they replaced is {previous_model(workspace)}, "
            "and 'tagger rollback' puts it back"
        ]
    )
