"""What `tagger init` writes: a new workspace with a tiny example, and pipelines for a host of git repositories."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources.abc import Traversable
from pathlib import Path

from tagger import DISTRIBUTION, __version__
from tagger.atomic import write_whole
from tagger.errors import OutputError, UsageError

__all__ = ["HOSTS", "GitOrigin", "create_workspace", "find_git_origin", "pipeline_files", "remaining_steps"]

HOSTS = ("github", "gitlab")
_EXAMPLE = ("labels/topics.toml", "labels/labels.csv", "labels/entries/example.txt", "examples/new-listing.txt")

# These stand in a template where the source of tagger belongs. No account on GitHub can be called __OWNER__: a workflow in
# which the placeholder was left fails, and never runs what a stranger put there.
_ACTION_PLACEHOLDER = f"__OWNER__/tagger@v{__version__}"
_REQUIREMENT_PLACEHOLDER = 'TAGGER: ""'

_STEPS = {
    _ACTION_PLACEHOLDER: "put the account that has tagger's repository in place of __OWNER__",
    _REQUIREMENT_PLACEHOLDER: "set TAGGER to what pip is to install, there or as a CI/CD variable",
}

_ACTION = re.compile(r"\./\S*|[\w.-]+/[\w.-]+(/[\w./-]+)?@\S+")
_GITHUB_URL = re.compile(r"\w+://(?:[^/@]*@)?[^/@]*github[^/]*/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True, slots=True)
class GitOrigin:
    """A git repository and one of its commits."""

    url: str
    commit: str


def create_workspace(folder: Path, ci: str | None = None, propose: bool = False, source: str | None = None) -> list[Path]:
    """Make a workspace with a tiny working example; the files that were made.

    Args:
        folder: where.
        ci: a host whose pipelines are written too. If the folder is a workspace already, the pipelines alone are written.
        propose: as in `pipeline_files`.
        source: as in `pipeline_files`.

    Raises:
        UsageError: if one of the files exists already, or the pipelines cannot be made; nothing is written then.
        OutputError: if a file cannot be written.
    """
    texts = _example_files(folder, ci)
    if ci is not None:
        texts |= pipeline_files(ci, propose, source)
    elif propose or source is not None:
        raise UsageError(f"{'--propose' if propose else '--source'} is about the pipelines; it goes with --ci")
    existing = [str(folder / name) for name in texts if (folder / name).exists()]
    if existing:
        raise UsageError(f"{', '.join(existing)}: already there; nothing was written. Name a new folder")
    try:
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "models").mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be made: {error.strerror}") from None
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def _example_files(folder: Path, ci: str | None) -> dict[str, str]:
    """The texts of the example by path; those that a folder with pipelines has already are left out."""
    names: list[str] = []
    if ci is None or not (folder / "labels" / "topics.toml").exists():
        names += _EXAMPLE
    if ci is not None and not (folder / "lists").exists():
        names.append("lists/README.md")
    example = resources.files("tagger") / "example"
    return {name: (example / name).read_text(encoding="utf-8") for name in names}


def pipeline_files(host: str, propose: bool = False, source: str | None = None) -> dict[str, str]:
    """The pipelines for a host: texts by path in a repository.

    Args:
        host: one of `HOSTS`.
        propose: the tags come as a pull request, in place of a commit.
        source: where the pipelines get tagger from: for GitHub an action such as "ann/tagger@v0.1.0", for GitLab what pip is
            to install. By default the commit that the running tagger was installed from, where pip recorded one. Else a
            placeholder stays, which `remaining_steps` names.

    Raises:
        UsageError: if there is no such pipeline, or the source cannot be one.
    """
    if host == "gitlab":
        if propose:
            raise UsageError("--propose: only GitHub has such a pipeline; for GitLab the tags are an artifact")
        text = _read_template("gitlab-ci.yml")
        source = source or _requirement_from(find_git_origin())
        requirement = f"TAGGER: {json.dumps(source)}" if source else _REQUIREMENT_PLACEHOLDER
        return {".gitlab-ci.yml": text.replace(_REQUIREMENT_PLACEHOLDER, requirement)}
    if source is not None and not _ACTION.fullmatch(source):
        raise UsageError(f"--source {source}: expected an action such as ann/tagger@v0.1.0, or ./folder of this repository")
    source = source or _action_from(find_git_origin()) or _ACTION_PLACEHOLDER
    names = ("check", "propose" if propose else "commit", "retrain")
    return {
        f".github/workflows/tagger-{name}.yml": _read_template(f"{name}.yml").replace(_ACTION_PLACEHOLDER, source)
        for name in names
    }


def remaining_steps(folder: Path, files: Iterable[Path]) -> list[str]:
    """What a person must still do before the pipelines among some new files of a folder work."""
    texts = [(path, path.read_text(encoding="utf-8")) for path in files if path.suffix == ".yml"]
    steps = [f"{path}: {step}" for path, text in texts for placeholder, step in _STEPS.items() if placeholder in text]
    root = None if (folder / ".git").exists() else next((up for up in folder.resolve().parents if (up / ".git").exists()), None)
    if texts and root is not None:
        steps.append(
            f"{folder}: hosts read pipelines at the root of a repository alone, which is {root}; make the workspace there, "
            "or move them there and change their paths (for the action, 'workspace' is the input)"
        )
    return steps


def find_git_origin() -> GitOrigin | None:
    """What tagger was installed from, as pip records it (PEP 610); None if that was no commit that others can reach."""
    try:
        record = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None
    commit = record.get("vcs_info", {}).get("commit_id")
    # Nobody else can install from a folder of this machine.
    return GitOrigin(record["url"], commit) if commit and not record["url"].startswith("file:") else None


def _action_from(origin: GitOrigin | None) -> str | None:
    url = _GITHUB_URL.fullmatch(origin.url) if origin else None
    return f"{url[1]}@{origin.commit}" if url and origin else None


def _requirement_from(origin: GitOrigin | None) -> str | None:
    return f"{DISTRIBUTION}[review] @ git+{origin.url}@{origin.commit}" if origin else None


def _read_template(name: str) -> str:
    """A pipeline, from the package, or from a checkout beside it."""
    in_package: Traversable = resources.files("tagger") / "workflows"
    folder = in_package if in_package.is_dir() else Path(__file__).parent.parent.parent / "examples" / "workflows"
    return (folder / name).read_text(encoding="utf-8")
