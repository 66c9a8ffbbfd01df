"""A new model in the place of the old one, which is kept; and back.

Model and card are two files, and no file system renames two at once. So all that is needed is written beside them first; one
rename decides; what is left after it can be done again any number of times. `finish_interrupted` tells by which files are there on
which side of that rename a killed run stopped, and clears away or finishes.
"""

from __future__ import annotations

from pathlib import Path

from tagger.atomic import remove_leftovers, write_whole
from tagger.errors import OutputError, UsageError
from tagger.workspace.workspace import Workspace

__all__ = [
    "finish_interrupted",
    "previous_model",
    "promote",
    "rollback",
]


def previous_model(place: Workspace) -> Path:
    """The file of the model that the last promotion replaced; its card is beside it."""
    return place.model.with_suffix(".previous.safetensors")


def promote(place: Workspace, model: bytes, card: str) -> None:
    """Put a model and its card in their place, and keep the ones that were there as the previous ones.

    A run that is killed leaves the old model or the new one, whole; `finish_interrupted` then mends the card and the previous model.

    Raises:
        OutputError: if something cannot be written.
    """
    finish_interrupted(place)
    try:
        place.model.parent.mkdir(parents=True, exist_ok=True)
        old = place.model.read_bytes() if place.model.exists() else None
        if old == model:  # the one before is worth more than a copy of this one
            write_whole(place.card, card)
            return
        # The staged model comes first and goes last: while it is there, nothing has been decided.
        write_whole(_staged(place.model), model)
        if old is not None:
            write_whole(_kept(place), old)
        write_whole(_staged(place.card), card)
        _staged(place.model).replace(place.model)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None
    _finish(place)


def rollback(place: Workspace) -> None:
    """Put the previous model and its card back; the ones that they replace become the previous ones.

    Raises:
        UsageError: if there is no previous model.
        OutputError: if something cannot be written.
    """
    finish_interrupted(place)
    model, card = previous_model(place), previous_model(place).with_suffix(".md")
    if not model.exists():
        raise UsageError(
            f"{model}: not there, so there is no model to go back to; the next retraining keeps the one that it replaces"
        )
    try:
        promote(place, model.read_bytes(), card.read_text(encoding="utf-8") if card.exists() else "")
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be read: {error.strerror}") from None


def finish_interrupted(place: Workspace) -> None:
    """Finish or clear away what a killed promotion left; where there was none, nothing is done.

    Raises:
        OutputError: if something cannot be written.
    """
    try:
        for path in (place.model, place.card):
            remove_leftovers(_staged(path))
        remove_leftovers(_kept(place))
        if _staged(place.model).exists():
            for path in (_staged(place.card), _kept(place), _staged(place.model)):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be removed: {error.strerror}") from None
    if _staged(place.card).exists():
        _finish(place)


def _finish(place: Workspace) -> None:
    """After the rename that decides. Each step leaves what the next ones need, the staged card until the last."""
    try:
        if _kept(place).exists():
            _kept(place).replace(previous_model(place))
        if place.card.exists():
            place.card.replace(previous_model(place).with_suffix(".md"))
        _staged(place.card).replace(place.card)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _staged(path: Path) -> Path:
    return path.with_suffix(f".staged{path.suffix}")


def _kept(place: Workspace) -> Path:
    return place.model.with_suffix(".kept.safetensors")
