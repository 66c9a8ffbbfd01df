"""What is wrong in a workspace, found without training anything."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.errors import LabelsError, ModelError, Problem
from tagger.labels.confirmed import check_confirmed
from tagger.labels.dataset import Labels, read_labels
from tagger.model.storage import load
from tagger.source import Source
from tagger.training.settings import Settings
from tagger.workspace.retrain import is_current
from tagger.workspace.workspace import Workspace

__all__ = ["WorkspaceCheck", "check_workspace"]


@dataclass(frozen=True, slots=True)
class WorkspaceCheck:
    """All that is wrong in a workspace."""

    problems: tuple[Problem, ...]
    labels: Labels | None  # None where they are what is wrong


def check_workspace(workspace: Workspace, labels_only: bool = False) -> WorkspaceCheck:
    """Whether the labels contradict themselves and, if they do not, whether the model is what they give.

    Args:
        workspace: what to check.
        labels_only: leave the model out.

    Raises:
        LabelsError: if there is no list of topics to check the labels by.
    """
    try:
        labels = read_labels(workspace.labels)
    except LabelsError as error:
        if not error.problems:
            raise
        return WorkspaceCheck(error.problems, None)
    problems = check_confirmed(workspace.labels, labels)
    message = None if labels_only else _describe_model_problem(workspace, labels)
    if message is not None:
        problems.append(Problem(Source(str(workspace.model)), message))
    return WorkspaceCheck(tuple(problems), labels)


def _describe_model_problem(workspace: Workspace, labels: Labels) -> str | None:
    if not workspace.model.exists():
        return "no model yet; 'tagger retrain' makes one"
    try:
        model = load(workspace.model)
    except ModelError as error:
        return str(error).removeprefix(f"{workspace.model}: ")
    if is_current(model, labels, Settings()):
        return None
    return f"not what {workspace.labels} gives; 'tagger retrain' makes it anew"
