"""Labels that are probably wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Optional

import typer

from tagger.cli.options import FormatOption, OutputOption, WorkspaceOption, choose_format
from tagger.cli.output import emit, progress, warn
from tagger.formats.json_lines import JSON_LINES
from tagger.formats.markdown import MARKDOWN
from tagger.formats.table import TABLE
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import read_labels
from tagger.labels.reviewed import AuditAnswer, apply_answers, read_answers
from tagger.reports import audit as audit_report
from tagger.workspace.workspace import Workspace, require_workspace

_KEYS = {"a": "accept", "r": "reject", "u": "unsure"}


def audit(
    decisions: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--apply", metavar="FILE", help="Write the decisions in this file to labels/; '-' is standard input."),
    ] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="Name at most N doubted labels.")] = 20,
    format: FormatOption = None,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Labels that are probably wrong, to accept or reject."""
    form = choose_format(format, output, allowed=(TABLE, JSON_LINES, MARKDOWN)).name
    place = require_workspace(workspace)
    if decisions is not None:
        changed, same = apply_answers(place.labels, read_answers(decisions), decisions)
        warn([_applied(changed, same)])
        return
    from tagger.curation.label_errors import find_label_errors
    from tagger.training.settings import Settings

    labels = read_labels(place.labels)
    warn(labels.warnings)
    with progress("auditing") as told:
        found = find_label_errors(
            labels, Settings(), read_confirmed(place.labels), top, n_jobs=os.cpu_count() or 1, progress=told
        )
    if format is None and output is None and sys.stdin.isatty() and sys.stdout.isatty():
        warn([_applied(*_ask(place, found["doubted"]))])
        emit(audit_report.audit_text(found | {"doubted": []}, form))
    else:
        emit(audit_report.audit_text(found, form), output)


def _applied(changed: int, same: int) -> str:
    next = "; 'tagger retrain' learns from them" if changed else ""
    return f"{changed} {'label' if changed == 1 else 'labels'} changed, {same} left as they are{next}"


def _ask(place: Workspace, doubted: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Ask for each doubted label; every decision is written when it is made. How many labels changed, and how many not."""
    made: dict[int, tuple[int, int]] = {}
    at = 0
    while at < len(doubted):
        doubt = doubted[at]
        emit(
            "\x1b[2J\x1b[H"
            + audit_report.question_text(doubt, f"{at + 1} of {len(doubted)}", shutil.get_terminal_size().columns)
        )
        other = "no" if doubt["label"] == "yes" else "yes"
        emit(f"\na: it is {other}   r: it is {doubt['label']}   u: unsure   s: skip   b: back   q: quit ")
        key = typer.getchar().lower()
        emit("\n")
        if key == "q":
            break
        if key in _KEYS:
            made[at] = apply_answers(place.labels, [AuditAnswer(doubt["id"], doubt["topic"], doubt["label"], _KEYS[key])])
        if key == "b" and at:
            at -= 1
            if at in made:
                before = doubted[at]
                apply_answers(place.labels, [AuditAnswer(before["id"], before["topic"], before["label"], "undo")])
                del made[at]
        elif key in _KEYS or key == "s":
            at += 1
    return sum(changed for changed, _ in made.values()), sum(same for _, same in made.values())
