"""One command for a pipeline."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.options import CombinedOption, WorkspaceOption, YearOption
from tagger.cli.output import append, emit, progress, warn
from tagger.workspace.workspace import require_workspace


class Form(StrEnum):
    """Whom the run is reported to."""

    github = "github"
    gitlab = "gitlab"
    plain = "plain"


def ci(
    listings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="LISTING", help="Files, folders and patterns such as 'a/**/*.txt' to tag."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the tags; without it none are written."),
    ] = None,
    combined: CombinedOption = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Make the model anew if need be, and promote it if the gate passes.")
    ] = False,
    base: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--base", metavar="FILE", help="Model to compare with, such as the one of the base branch."),
    ] = None,
    base_labels: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--base-labels", metavar="DIR", help="The labels/ of that model; names the rows that changed."),
    ] = None,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Fail where 'tagger drift' says to label more; without, it warns.")
    ] = False,
    format: Annotated[
        Optional[Form],  # noqa: UP045
        typer.Option("--format", "-f", help="Whom to report to; by default the host that the environment names."),
    ] = None,
    summary: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--summary", metavar="FILE", help="Write a summary in Markdown; on GitHub its page has it anyway."),
    ] = None,
    junit: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--junit", metavar="FILE", help="Write the checks as JUnit XML."),
    ] = None,
    codequality: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--codequality", metavar="FILE", help="Write the findings as a Code Quality report for GitLab."),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--report", metavar="FILE", help="Write a page of HTML with pictures, as 'tagger report' does."),
    ] = None,
    year: YearOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Check labels and model, tag new listings, report to the host."""
    import secrets

    from tagger.batch.settings import BatchSettings
    from tagger.ci import reports as ci_report
    from tagger.ci.run import run_checks
    from tagger.reports import page as html_report

    if report is not None:
        html_report.need_extra()
    form = format or ci_report.host(os.environ)
    with progress("training") as told:
        run = run_checks(
            require_workspace(workspace),
            listings or [],
            out,
            BatchSettings(combined=combined, year=year),
            retrain=retrain,
            base=base,
            base_labels=base_labels,
            fail_on_drift=fail_on_drift,
            keep_scores=report is not None,
            n_jobs=os.cpu_count() or 1,
            progress=told,
        )
    written = run.write()
    page = ci_report.page(run) if report is not None else None
    if report is not None and page is not None:
        emit(page, report)
    root = {"github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}.get(form, "")
    folder = Path(os.environ[root]) if root in os.environ else None
    if form == "github":
        # What a listing says must not be taken for a command, so none is read between these two lines.
        token = secrets.token_hex(16)
        emit(f"::stop-commands::{token}\n{ci_report.text(run)}::{token}::\n{ci_report.commands(run, folder)}")
        append(os.environ.get("GITHUB_STEP_SUMMARY"), ci_report.summary(run))
        append(os.environ.get("GITHUB_OUTPUT"), ci_report.outputs(run))
    else:
        emit(ci_report.text(run))
    if summary is not None:
        link = os.path.relpath(report, summary.parent) if report is not None and page is not None else None
        emit(ci_report.summary(run, link), summary)
    if junit is not None:
        emit(ci_report.junit(run), junit)
    if codequality is not None:
        emit(ci_report.code_quality(run, folder), codequality)
    if written:
        warn([f"written: {', '.join(map(str, written))}"])
    if run.status:
        raise typer.Exit(run.status)
