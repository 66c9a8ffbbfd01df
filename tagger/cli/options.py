"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from tagger.errors import UsageError
from tagger.formats.format import TextFormat
from tagger.formats.registry import TEXT_FORMATS
from tagger.formats.table import TABLE

__all__ = [
    "CombinedOption",
    "FormatName",
    "FormatOption",
    "ModelOption",
    "NoLabelsOption",
    "OutputOption",
    "ReportFormat",
    "ReportFormatOption",
    "WorkspaceOption",
    "YearOption",
    "choose_format",
    "choose_report_format",
]


if TYPE_CHECKING:
    FormatName = str
else:  # to typer an enumeration, whose members are strings; a type checker knows none that is made from a list
    FormatName = StrEnum("FormatName", {format.name: format.name for format in TEXT_FORMATS})


class ReportFormat(StrEnum):
    """Forms of a report, such as a comparison of two runs."""

    text = "text"
    markdown = "markdown"
    json = "json"


_REPORT_ENDINGS = {".txt": ReportFormat.text, ".md": ReportFormat.markdown, ".json": ReportFormat.json}

# typer reads these at run time and knows Optional in every version
WorkspaceOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--workspace", "-w", metavar="DIR", help="Folder with labels/ and models/; by default the nearest one upwards."
    ),
]
ModelOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--model", "-m", metavar="FILE", help="Model to use; by default the workspace's, else the shipped one."),
]
OutputOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file, its format from its ending; whole or not at all."),
]
FormatOption = Annotated[Optional[FormatName], typer.Option("--format", "-f", help="Form of the output.")]  # noqa: UP045
ReportFormatOption = Annotated[
    Optional[ReportFormat],  # noqa: UP045
    typer.Option("--format", "-f", help="Form of the output."),
]
CombinedOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--combined", metavar="NAME", help="One output for all, in DIR; ends in .csv, .jsonl or .parquet."),
]
NoLabelsOption = Annotated[bool, typer.Option("--no-labels", help="Tag by the model even what is labelled by hand.")]
YearOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--year", metavar="YEAR", min=1, max=9999, help="Year of dates without one; by default the current year."),
]


def choose_format(name: FormatName | None, output: Path | None, *, allowed: Sequence[TextFormat] = TEXT_FORMATS) -> TextFormat:
    """The format asked for, else the one that the output's ending names, else a table.

    Raises:
        UsageError: if the ending names none, or the command has no such format.
    """
    if name is not None:
        asked_for = next((format for format in allowed if format.name == name), None)
        if asked_for is None:
            raise UsageError(f"--format {name}: this command has {', '.join(format.name for format in allowed)}")
        return asked_for
    if output is None:
        return TABLE
    by_ending = {ending: format for format in allowed for ending in format.endings}
    if output.suffix.lower() not in by_ending:
        raise UsageError(f"{output}: no format is known by this ending; wanted {', '.join(by_ending)}, or --format")
    return by_ending[output.suffix.lower()]


def choose_report_format(format: ReportFormat | None, output: Path | None) -> ReportFormat:
    """The form of a report asked for, else the one that the output's ending names, else text.

    Raises:
        UsageError: if the ending names none.
    """
    if format is None and output is not None:
        if output.suffix.lower() not in _REPORT_ENDINGS:
            raise UsageError(f"{output}: no format is known by this ending; wanted {', '.join(_REPORT_ENDINGS)}, or --format")
        return _REPORT_ENDINGS[output.suffix.lower()]
    return format or ReportFormat.text
