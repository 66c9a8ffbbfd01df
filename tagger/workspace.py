"""A workspace: a folder with labels/ and models/."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tagger.errors import LabelsError, OutputError, Problem, UsageError
from tagger.files import write_whole
from tagger.hosts import pipelines
from tagger.labels import Row, read_rows
from tagger.model import Model, load
from tagger.taxonomy import Topic, read_topics

__all__ = ["Workspace", "create_workspace", "find_workspace", "load_model", "model_path", "need_workspace"]

_EXAMPLE = ("labels/topics.toml", "labels/labels.csv", "labels/entries/example.txt", "examples/new-listing.txt")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where labels and model of a folder stand."""

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

    def hand(self) -> tuple[dict[str, Row], tuple[Topic, ...]]:
        """The rows of labels.csv by entry id, none where there is no such file, and the topics.

        Raises:
            LabelsError: if the table cannot be read, or naming every row with a topic that is unknown.
        """
        path = self.labels / "labels.csv"
        topics = read_topics(self.labels / "topics.toml")
        rows = read_rows(path) if path.exists() else []
        ids = {topic.id for topic in topics}
        unknown = [
            Problem(str(path), row.line, f"unknown topic {topic!r}; known: {', '.join(sorted(ids))}")
            for row in rows
            for topic in row.topics
            if topic not in ids
        ]
        if unknown:
            raise LabelsError(f"{path}: {len(unknown)} to correct; --no-labels tags without them", unknown)
        return {row.id: row for row in rows}, topics


def find_workspace(given: Path | None) -> Workspace | None:
    """The workspace given, else the nearest one from the current folder upwards, else None.

    Raises:
        UsageError: if the one given is none.
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


def need_workspace(given: Path | None) -> Workspace:
    """As `find_workspace`, where a command can do nothing without one.

    Raises:
        UsageError: if there is none.
    """
    found = find_workspace(given)
    if found is None:
        raise UsageError("no workspace here: no labels/topics.toml in this folder or above it; 'tagger init DIR' makes one")
    return found


def load_model(path: Path | None, workspace: Workspace | None) -> Model:
    """The model given, else the workspace's, else the one shipped with the package.

    Raises:
        ModelError: if it cannot be used.
    """
    return load(model_path(path, workspace))


def model_path(path: Path | None, workspace: Workspace | None) -> Path | None:
    """The model given, else the workspace's, else None for the one shipped with the package."""
    return workspace.model if path is None and workspace is not None and workspace.model.exists() else path


def create_workspace(folder: Path, ci: str | None = None, propose: bool = False, source: str | None = None) -> list[Path]:
    """Make a workspace with a tiny working example; the files made.

    Args:
        folder: where.
        ci: a host whose pipelines are written too; in a folder that is a workspace, they alone.
        propose: as `hosts.pipelines` has it.
        source: as `hosts.pipelines` has it.

    Raises:
        UsageError: if one of the files is there already, or the pipelines cannot be made; nothing is written then.
        OutputError: if one cannot be written.
    """
    example = resources.files("tagger") / "example"
    names: list[str] = []
    if ci is None or not (folder / "labels" / "topics.toml").exists():
        names += _EXAMPLE
    if ci is not None and not (folder / "lists").exists():
        names.append("lists/README.md")
    texts = {name: (example / name).read_text(encoding="utf-8") for name in names}
    if ci is not None:
        texts |= pipelines(ci, propose, source)
    elif propose or source is not None:
        raise UsageError(f"{'--propose' if propose else '--source'} is about the pipelines; it goes with --ci")
    there = [str(folder / name) for name in texts if (folder / name).exists()]
    if there:
        raise UsageError(f"{', '.join(there)}: already there; nothing was written. Name a new folder")
    try:
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "models").mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be made: {error.strerror}") from None
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]
