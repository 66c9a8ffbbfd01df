"""A new workspace."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.output import print_to_stderr, write_result
from tagger.workspace.scaffold import create_workspace, remaining_steps


class PipelineHost(StrEnum):
    """Hosts that there are pipelines for."""

    github = "github"
    gitlab = "gitlab"


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make it in; made if need be.")],
    ci: Annotated[
        Optional[PipelineHost],  # noqa: UP045
        typer.Option("--ci", help="Add pipelines for this host; in an existing workspace, the pipelines alone."),
    ] = None,
    propose: Annotated[bool, typer.Option("--propose", help="Tags as a pull request, in place of a commit.")] = False,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--source",
            metavar="WHAT",
            help="Where the pipelines get tagger from: an action such as ann/tagger@v0.1.0, for GitLab what pip is to install; "
            "by default the commit that this tagger was installed from.",
        ),
    ] = None,
) -> None:
    """Make a workspace with a tiny working example."""
    files = create_workspace(directory, ci, propose, source)
    write_result("".join(f"{path}\n" for path in files))
    print_to_stderr(remaining_steps(directory, files))
    if directory / "labels" / "topics.toml" in files:
        print_to_stderr([f"next: cd {shlex.quote(str(directory))} && tagger retrain && tag examples/new-listing.txt"])
