"""Labels that are probably wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from tagger.cli.options import FormatOption, OutputOption, WorkspaceOption, choose_format
from tagger.cli.output import print_to_stderr, progress_bar, write_result
from tagger.formats.json_lines import JSON_LINES
from tagger.formats.markdown import MARKDOWN
from tagger.formats.table import TABLE
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import read_labels
from tagger.labels.reviewed import AuditAnswer, apply_answers, read_answers
from tagger.reports import audit as audit_report
from tagger.workspace.workspace import require_workspace

if TYPE_CHECKING:
    from tagger.curation.label_errors import Suspect

_ANSWERS = {"a": "accept", "r": "reject", "u": "unsure"}


def audit(
    decisions: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--apply", metavar="FILE", help="Write the decisions in this file to labels/; '-' is standard input."),
    ] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="Name at most N doubted labels.")] = 20,
    format: FormatOption = None,
    output: OutputOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Labels that are probably wrong, to accept or reject."""
    form = choose_format(format, output, allowed=(TABLE, JSON_LINES, MARKDOWN)).name
    labels_folder = require_workspace(folder).labels
    if decisions is not None:
        print_to_stderr([_describe_changes(*apply_answers(labels_folder, read_answers(decisions), decisions))])
        return
    from tagger.curation.label_errors import find_label_errors
    from tagger.training.settings import Settings

    labels = read_labels(labels_folder)
    print_to_stderr(labels.warnings)
    with progress_bar("auditing") as show:
        confirmed, n_jobs = read_confirmed(labels_folder), os.cpu_count() or 1
        label_audit = find_label_errors(labels, Settings(), confirmed, top, n_jobs, show)
    if format is None and output is None and sys.stdin.isatty() and sys.stdout.isatty():
        print_to_stderr([_describe_changes(*_ask_about(label_audit.suspects, labels_folder))])
        write_result(audit_report.audit_text(replace(label_audit, suspects=()), form))
    else:
        write_result(audit_report.audit_text(label_audit, form), output)


def _describe_changes(n_changed: int, n_same: int) -> str:
    next_step = "; 'tagger retrain' learns from them" if n_changed else ""
    return f"{n_changed} {'label' if n_changed == 1 else 'labels'} changed, {n_same} left as they are{next_step}"


def _ask_about(suspects: Sequence[Suspect], folder: Path) -> tuple[int, int]:
    """Ask a person about each suspect. An answer is in labels/ as soon as it is given.

    Returns:
        How many labels changed, and how many were looked at and stay.
    """
    changes: dict[int, tuple[int, int]] = {}  # by suspect, what its answer changed
    n = 0
    while n < len(suspects):
        suspect = suspects[n]
        _show_question(suspect, f"{n + 1} of {len(suspects)}")
        key = typer.getchar().lower()
        write_result("\n")
        if key == "q":
            break
        if key in _ANSWERS:
            changes[n] = _apply(suspect, _ANSWERS[key], folder)
        if key == "b" and n:
            n -= 1
            if n in changes:
                _apply(suspects[n], "undo", folder)
                del changes[n]
        elif key in _ANSWERS or key == "s":
            n += 1
    return sum(n_changed for n_changed, _ in changes.values()), sum(n_same for _, n_same in changes.values())


def _show_question(suspect: Suspect, position: str) -> None:
    write_result("\x1b[2J\x1b[H" + audit_report.question_text(suspect, position, shutil.get_terminal_size().columns))
    other = "no" if suspect.label == "yes" else "yes"
    write_result(f"\na: it is {other}   r: it is {suspect.label}   u: unsure   s: skip   b: back   q: quit ")


def _apply(suspect: Suspect, answer: str, folder: Path) -> tuple[int, int]:
    return apply_answers(folder, [AuditAnswer(suspect.entry.id, suspect.topic.id, suspect.label, answer)])
