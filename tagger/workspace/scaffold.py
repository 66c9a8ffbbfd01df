"""The pipelines for a host of git repositories, and where they get tagger from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources.abc import Traversable
from pathlib import Path

from tagger import DISTRIBUTION, __version__
from tagger.atomic import write_whole
from tagger.errors import OutputError, UsageError

__all__ = [
    "HOSTS",
    "create_workspace",
    "installed_from",
    "pipeline_files",
    "remaining_steps",
]


HOSTS = ("github", "gitlab")


# What stands in a template where tagger is to come from. No account on GitHub can have such a name, so that a workflow in
# which it was left fails, and never runs what a stranger put there.
_ACTION = f"__OWNER__/tagger@v{__version__}"


_REQUIREMENT = 'TAGGER: ""'


_TO_FILL_IN = {
    _ACTION: "put the account that has tagger's repository in place of __OWNER__",
    _REQUIREMENT: "set TAGGER to what pip is to install, there or as a CI/CD variable",
}


_WANTED_ACTION = re.compile(r"\./\S*|[\w.-]+/[\w.-]+(/[\w./-]+)?@\S+")


_ON_GITHUB = re.compile(r"\w+://(?:[^/@]*@)?[^/@]*github[^/]*/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def pipeline_files(host: str, propose: bool = False, source: str | None = None) -> dict[str, str]:
    """The pipelines for a host: texts by path in a repository.

    Args:
        host: one of `HOSTS`.
        propose: tags as a pull request, in place of a commit.
        source: where they get tagger from: for GitHub an action such as "ann/tagger@v0.1.0", for GitLab what pip is to
            install. By default the commit that the running tagger was installed from, where pip kept that; else the
            placeholder stays, see `to_do`.

    Raises:
        UsageError: if there is no such pipeline, or the source is none.
    """
    if host == "gitlab":
        if propose:
            raise UsageError("--propose: only GitHub has such a pipeline; for GitLab the tags are an artifact")
        text = _template("gitlab-ci.yml")
        source = source or _requirement(installed_from())
        return {".gitlab-ci.yml": text.replace(_REQUIREMENT, f"TAGGER: {json.dumps(source)}") if source else text}
    if source is not None and not _WANTED_ACTION.fullmatch(source):
        raise UsageError(f"--source {source}: expected an action such as ann/tagger@v0.1.0, or ./folder of this repository")
    source = source or _action(installed_from()) or _ACTION
    names = ("check", "propose" if propose else "commit", "retrain")
    return {f".github/workflows/tagger-{name}.yml": _template(f"{name}.yml").replace(_ACTION, source) for name in names}


def remaining_steps(folder: Path, files: Iterable[Path]) -> list[str]:
    """What is left to be done by hand before the pipelines among some new files of a folder work."""
    texts = [(path, path.read_text(encoding="utf-8")) for path in files if path.suffix == ".yml"]
    found = [f"{path}: {what}" for path, text in texts for placeholder, what in _TO_FILL_IN.items() if placeholder in text]
    above = [] if (folder / ".git").exists() else [up for up in folder.resolve().parents if (up / ".git").exists()]
    if texts and above:
        found.append(
            f"{folder}: hosts read pipelines at the root of a repository alone, which is {above[0]}; make the workspace there, "
            "or move them there and change their paths (for the action, 'workspace' is the input)"
        )
    return found


def installed_from() -> tuple[str, str] | None:
    """The git repository and the commit that tagger was installed from, as pip keeps them (PEP 610); None if it was not."""
    try:
        kept = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None
    commit = kept.get("vcs_info", {}).get("commit_id")
    # Nobody else can install from a folder of this machine.
    return (kept["url"], commit) if commit and not kept["url"].startswith("file:") else None


def _action(origin: tuple[str, str] | None) -> str | None:
    found = _ON_GITHUB.fullmatch(origin[0]) if origin else None
    return f"{found[1]}@{origin[1]}" if found and origin else None


def _requirement(origin: tuple[str, str] | None) -> str | None:
    return f"{DISTRIBUTION}[review] @ git+{origin[0]}@{origin[1]}" if origin else None


def _template(name: str) -> str:
    """A pipeline, from the package, or from a checkout beside it."""
    inside: Traversable = resources.files("tagger") / "workflows"
    folder = inside if inside.is_dir() else Path(__file__).parent.parent.parent / "examples" / "workflows"
    return (folder / name).read_text(encoding="utf-8")


_EXAMPLE = ("labels/topics.toml", "labels/labels.csv", "labels/entries/example.txt", "examples/new-listing.txt")


def create_workspace(folder: Path, ci: str | None = None, propose: bool = False, source: str | None = None) -> list[Path]:
    """Make a workspace with a tiny working example; the files made.

    Args:
        folder: where.
        ci: a host whose pipelines are written too; in a folder that is a workspace, they alone.
        propose: as `pipeline_files` has it.
        source: as `pipeline_files` has it.

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
        texts |= pipeline_files(ci, propose, source)
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
