"""A new model takes the place of the old one, which is kept as the previous one; and back.

A model and its card are two files, and no file system renames two files at once. So everything is first written beside
them. Then one rename decides. What is left after it can be repeated any number of times.

A killed run leaves some of these files. `finish_interrupted` sees from them on which side of the rename the run stopped, and
finishes the promotion or clears it away.
"""

from __future__ import annotations

from pathlib import Path

from tagger.atomic import remove_leftovers, write_whole
from tagger.errors import OutputError, UsageError
from tagger.workspace.workspace import Workspace

__all__ = ["finish_interrupted", "previous_model", "promote_model", "restore_previous_model"]


def previous_model(workspace: Workspace) -> Path:
    """The file of the model that the last promotion replaced; its card is beside it."""
    return workspace.model.with_suffix(".previous.safetensors")


def promote_model(workspace: Workspace, model: bytes, card: str) -> None:
    """Put a model and its card in their place. The ones before become the previous ones.

    The file of the model is at any moment the old one or the new one, whole. If the run is killed, `finish_interrupted` puts
    the card and the previous model right.

    Args:
        workspace: where.
        model: the bytes of the model file.
        card: the text of its card.

    Raises:
        OutputError: if something cannot be written.
    """
    finish_interrupted(workspace)
    try:
        workspace.model.parent.mkdir(parents=True, exist_ok=True)
        old = workspace.model.read_bytes() if workspace.model.exists() else None
        if old == model:  # a copy of this model would replace the previous one, which is worth more
            write_whole(workspace.card, card)
            return
        # The staged model is written first and renamed last: as long as it is there, nothing is decided.
        write_whole(_staged_path(workspace.model), model)
        if old is not None:
            write_whole(_replaced_path(workspace), old)
        write_whole(_staged_path(workspace.card), card)
        _staged_path(workspace.model).replace(workspace.model)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None
    _finish_promotion(workspace)


def restore_previous_model(workspace: Workspace) -> None:
    """Put the previous model and its card back. The ones that they replace become the previous ones.

    Raises:
        UsageError: if there is no previous model.
        OutputError: if something cannot be written.
    """
    finish_interrupted(workspace)
    model, card = previous_model(workspace), previous_model(workspace).with_suffix(".md")
    if not model.exists():
        raise UsageError(
            f"{model}: not there, so there is no model to go back to; the next retraining keeps the one that it replaces"
        )
    try:
        promote_model(workspace, model.read_bytes(), card.read_text(encoding="utf-8") if card.exists() else "")
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be read: {error.strerror}") from None


def finish_interrupted(workspace: Workspace) -> None:
    """Finish a promotion that was killed, or clear it away; nothing is done where there was none.

    Raises:
        OutputError: if something cannot be written.
    """
    staged_model, staged_card = _staged_path(workspace.model), _staged_path(workspace.card)
    try:
        for path in (staged_model, staged_card, _replaced_path(workspace)):
            remove_leftovers(path)
        if staged_model.exists():  # nothing was decided
            for path in (staged_card, _replaced_path(workspace), staged_model):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be removed: {error.strerror}") from None
    if staged_card.exists():
        _finish_promotion(workspace)


def _finish_promotion(workspace: Workspace) -> None:
    """What is to be done after the rename that decides.

    Each step leaves what the next ones need. The staged card stays until the last one.
    """
    try:
        if _replaced_path(workspace).exists():
            _replaced_path(workspace).replace(previous_model(workspace))
        if workspace.card.exists():
            workspace.card.replace(previous_model(workspace).with_suffix(".md"))
        _staged_path(workspace.card).replace(workspace.card)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _staged_path(path: Path) -> Path:
    """Where a new file waits for its place."""
    return path.with_suffix(f".staged{path.suffix}")


def _replaced_path(workspace: Workspace) -> Path:
    """Where a copy of the old model waits to become the previous one."""
    return workspace.model.with_suffix(".kept.safetensors")
