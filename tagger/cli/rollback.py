"""Back to the model before."""

from __future__ import annotations

from tagger.cli.options import WorkspaceOption
from tagger.cli.output import warn
from tagger.workspace.promotion import previous
from tagger.workspace.workspace import need_workspace


def rollback(workspace: WorkspaceOption = None) -> None:
    """Put the model back that the last retraining replaced; once more puts the newer one back."""
    from tagger.workspace import promotion

    place = need_workspace(workspace)
    promotion.rollback(place)
    warn(
        [
            f"written: {place.model}, {place.card}; the model that they replaced is {previous(place)}, "
            "and 'tagger rollback' puts it back"
        ]
    )
