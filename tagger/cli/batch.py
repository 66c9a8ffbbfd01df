"""Many listings at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.options import CombinedOption, FormatOption, ModelOption, NoLabelsOption, WorkspaceOption, YearOption
from tagger.cli.output import print_to_stderr, progress_bar, write_result
from tagger.errors import ExitStatus, UsageError
from tagger.workspace.workspace import find_workspace


def batch(
    listings: Annotated[list[str], typer.Argument(metavar="LISTING", help="Files, folders and patterns such as 'a/**/*.txt'.")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the outputs; made if need be.")],
    combined: CombinedOption = None,
    format: FormatOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change; exit 1 if anything would.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace outputs that somebody else wrote or changed.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave bad listings out, name them at the end and exit 2.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes that read listings.")] = 1,
    model: ModelOption = None,
    year: YearOption = None,
    no_labels: NoLabelsOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Tag many listings; only what changed is done again."""
    from tagger.batch.plan import plan_batch
    from tagger.batch.settings import BatchSettings
    from tagger.reports.batch import format_plan, summarize_batch

    if combined is not None and format is not None:
        raise UsageError(f"--format {format}: --combined {combined} has its format from its ending; give one of the two")
    settings = BatchSettings(format or "csv", combined, year, model, find_workspace(workspace), not no_labels)
    with progress_bar("reading") as show_progress:
        planned = plan_batch(listings, out, settings, force=force, keep_going=keep_going, n_jobs=jobs, progress=show_progress)
    print_to_stderr(planned.warnings)
    if check:
        write_result(format_plan(planned.changes, out))
    else:
        write_result("".join(f"{path}\n" for path in planned.write()))
    print_to_stderr([summarize_batch(planned)])
    if planned.error is not None:
        raise planned.error
    if check and planned.changes:
        raise typer.Exit(ExitStatus.REFUSED)
