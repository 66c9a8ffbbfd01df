"""One command for a pipeline."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from tagger.cli.options import CombinedOption, WorkspaceOption, YearOption
from tagger.cli.output import append_to_file, print_to_stderr, progress_bar, write_result
from tagger.workspace.workspace import require_workspace

if TYPE_CHECKING:
    from tagger.ci.run import Run


class ReportHost(StrEnum):
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
        Optional[ReportHost],  # noqa: UP045
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
    folder: WorkspaceOption = None,
) -> None:
    """Check labels and model, tag new listings, report to the host."""
    from tagger.batch.settings import BatchSettings
    from tagger.ci import reports as ci_report
    from tagger.ci.run import run_checks
    from tagger.reports.page import require_report_packages

    if report is not None:
        require_report_packages()
    host = format or ci_report.detect_host(os.environ)
    with progress_bar("training") as show:
        run = run_checks(
            require_workspace(folder),
            listings or [],
            out,
            BatchSettings(combined=combined, year=year),
            retrain=retrain,
            base=base,
            base_labels=base_labels,
            fail_on_drift=fail_on_drift,
            keep_scores=report is not None,
            n_jobs=os.cpu_count() or 1,
            progress=show,
        )
    written = run.write()
    page = ci_report.report_page(run) if report is not None else None
    if report is not None and page is not None:
        write_result(page, report)
    root = _repository_root(host)
    if host == "github":
        _report_to_github(run, root)
    else:
        write_result(ci_report.checks_text(run))
    if summary is not None:
        link = os.path.relpath(report, summary.parent) if report is not None and page is not None else None
        write_result(ci_report.summary_markdown(run, link), summary)
    if junit is not None:
        write_result(ci_report.junit_xml(run), junit)
    if codequality is not None:
        write_result(ci_report.gitlab_code_quality(run, root), codequality)
    if written:
        print_to_stderr([f"written: {', '.join(map(str, written))}"])
    if run.status:
        raise typer.Exit(run.status)


def _repository_root(host: str) -> Path | None:
    """The folder that a host names paths from."""
    variable = {"github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}.get(host, "")
    return Path(os.environ[variable]) if variable in os.environ else None


def _report_to_github(run: Run, root: Path | None) -> None:
    import secrets

    from tagger.ci import reports as ci_report

    # A line of a listing could look like a command of GitHub's. Between these two lines it reads none.
    token = secrets.token_hex(16)
    annotations = ci_report.github_annotations(run, root)
    write_result(f"::stop-commands::{token}\n{ci_report.checks_text(run)}::{token}::\n{annotations}")
    append_to_file(os.environ.get("GITHUB_STEP_SUMMARY"), ci_report.summary_markdown(run))
    append_to_file(os.environ.get("GITHUB_OUTPUT"), ci_report.github_outputs(run))
