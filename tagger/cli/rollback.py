"""Back to the model before."""

from __future__ import annotations

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import print_to_stderr
from tagger.workspace.promotion import previous_model
from tagger.workspace.workspace import require_workspace


def rollback(workspace: WorkspaceOption = None) -> None:
    """Put back the model that the last retraining replaced; once more puts the newer one back."""
    from tagger.workspace import promotion

    place = require_workspace(workspace)
    promotion.rollback(place)
    print_to_stderr(
        [
            f"written: {place.model}, {place.card}; the model that they replaced is {previous_model(place)}, "
            "and 'tagger rollback' puts it back"
        ]
    )
