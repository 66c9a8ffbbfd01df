"""A workspace: a folder with labels/ and models/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import LabelsError, ModelError, Problem, UsageError
from tagger.labels.table import LabelRow, read_rows
from tagger.model.model import Model
from tagger.model.storage import load
from tagger.source import Source
from tagger.taxonomy import Taxonomy, read_taxonomy

__all__ = [
    "HandLabels",
    "Workspace",
    "find_workspace",
    "load_model",
    "load_replaceable_model",
    "model_path",
    "require_workspace",
]


@dataclass(frozen=True, slots=True)
class HandLabels:
    """What people said, without the texts of the entries."""

    rows: Mapping[str, LabelRow] = field(default_factory=dict)  # of labels.csv, by entry id
    taxonomy: Taxonomy = field(default_factory=Taxonomy)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder, and where its labels and its model are."""

    folder: Path

    @property
    def labels(self) -> Path:
        """The folder of labels."""
        return self.folder / "labels"

    @property
    def model(self) -> Path:
        """The model file."""
        return self.folder / "models" / "topics.safetensors"

    @property
    def card(self) -> Path:
        """The model's card."""
        return self.folder / "models" / "topics.md"

    def read_hand_labels(self) -> HandLabels:
        """The rows of labels.csv, none where there is no such file, and the topics.

        Raises:
            LabelsError: if the table cannot be read, or naming every row with an unknown topic.
        """
        path = self.labels / "labels.csv"
        taxonomy = read_taxonomy(self.labels / "topics.toml")
        rows = read_rows(path) if path.exists() else []
        unknown = [
            Problem(Source(str(path), row.line), f"unknown topic {topic!r}; known: {', '.join(sorted(taxonomy.ids))}")
            for row in rows
            for topic in row.topics
            if topic not in taxonomy.column
        ]
        if unknown:
            raise LabelsError(f"{path}: {len(unknown)} to correct; --no-labels tags without them", unknown)
        return HandLabels({row.id: row for row in rows}, taxonomy)


def find_workspace(given: Path | None = None) -> Workspace | None:
    """The workspace in a folder; by default the nearest one from the current folder upwards, or None.

    Raises:
        UsageError: if the given folder is no workspace.
    """
    if given is not None:
        if not (given / "labels" / "topics.toml").is_file():
            raise UsageError(f"{given}: not a workspace: no labels/topics.toml in it; 'tagger init {given}' makes one")
        return Workspace(given)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "labels" / "topics.toml").is_file():
            # A path relative to where the user stands reads better in messages.
            return Workspace(Path() if folder == here else folder)
    return None


def require_workspace(given: Path | None = None) -> Workspace:
    """As `find_workspace`, for a command that can do nothing without a workspace.

    Raises:
        UsageError: if there is none.
    """
    workspace = find_workspace(given)
    if workspace is None:
        raise UsageError("no workspace here: no labels/topics.toml in this folder or above it; 'tagger init DIR' makes one")
    return workspace


def load_replaceable_model(workspace: Workspace) -> tuple[Model | None, str | None]:
    """The model of a workspace, for something that will replace it.

    Returns:
        The model, None where there is none or it cannot be used; and why it cannot be used, None otherwise.
    """
    if not workspace.model.exists():
        return None, None
    try:
        return load(workspace.model), None
    except ModelError as error:
        return None, str(error)


def load_model(path: Path | None, workspace: Workspace | None) -> Model:
    """The model given, else the workspace's, else the one shipped with the package.

    Raises:
        ModelError: if it cannot be used.
    """
    return load(model_path(path, workspace))


def model_path(path: Path | None, workspace: Workspace | None) -> Path | None:
    """The model given, else the workspace's, else None for the one shipped with the package."""
    return workspace.model if path is None and workspace is not None and workspace.model.exists() else path
