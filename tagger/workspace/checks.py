"""What is wrong in a workspace, found without training anything."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.errors import LabelsError, ModelError, Problem
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.reviewed import check_confirmed
from tagger.model.storage import load
from tagger.source import Source
from tagger.training.settings import Settings
from tagger.workspace.retrain import is_current
from tagger.workspace.workspace import Workspace

__all__ = [
    "Checked",
    "check_workspace",
]


@dataclass(frozen=True, slots=True)
class Checked:
    """All that is wrong in a workspace, and its labels, None where they are what is wrong."""

    problems: tuple[Problem, ...]
    labels: Labels | None


def check_workspace(place: Workspace, labels_only: bool = False) -> Checked:
    """Whether the labels contradict themselves and, if they do not, whether the model is what they give.

    Raises:
        LabelsError: if there is no list of topics to check them by.
    """
    try:
        labels = read_labels(place.labels)
    except LabelsError as error:
        if not error.problems:
            raise
        return Checked(error.problems, None)
    problems = check_confirmed(place.labels, labels)
    wrong = None if labels_only else _wrong_model(place, labels)
    if wrong is not None:
        problems.append(Problem(Source(str(place.model)), wrong))
    return Checked(tuple(problems), labels)


def _wrong_model(place: Workspace, labels: Labels) -> str | None:
    if not place.model.exists():
        return "no model yet; 'tagger retrain' makes one"
    try:
        model = load(place.model)
    except ModelError as error:
        return str(error).removeprefix(f"{place.model}: ")
    return None if is_current(model, labels, Settings()) else f"not what {place.labels} gives; 'tagger retrain' makes it anew"
