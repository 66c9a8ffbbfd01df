"""Options that several commands share, each written once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.errors import UsageError

__all__ = [
    "CombinedOption",
    "Form",
    "FormOption",
    "Format",
    "FormatOption",
    "ModelOption",
    "NoLabelsOption",
    "OutputOption",
    "WorkspaceOption",
    "YearOption",
    "form_for",
    "format_for",
]


class Format(StrEnum):
    """Forms of output."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    markdown = "markdown"
    listing = "listing"


_ENDINGS = {
    ".jsonl": Format.jsonl,
    ".csv": Format.csv,
    ".md": Format.markdown,
    ".txt": Format.listing,
}


class Form(StrEnum):
    """Forms of a comparison."""

    text = "text"
    markdown = "markdown"
    json = "json"


_FORMS = {".txt": Form.text, ".md": Form.markdown, ".json": Form.json}

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
FormatOption = Annotated[Optional[Format], typer.Option("--format", "-f", help="Form of the output.")]  # noqa: UP045
FormOption = Annotated[Optional[Form], typer.Option("--format", "-f", help="Form of the output.")]  # noqa: UP045
CombinedOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--combined", metavar="NAME", help="One output for all, in DIR; ends in .csv, .jsonl or .parquet."),
]
NoLabelsOption = Annotated[bool, typer.Option("--no-labels", help="Tag by the model even what is labelled by hand.")]
YearOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--year", metavar="YEAR", min=1, max=9999, help="Year of dates without one; by default the current year."),
]


def format_for(format: Format | None, output: Path | None, *, allowed: tuple[Format, ...] = tuple(Format)) -> Format:
    """The format asked for, else the one that the output's ending names, else a table.

    Raises:
        UsageError: if the ending names none, or the command has no such format.
    """
    if format is None and output is not None:
        format = _ENDINGS.get(output.suffix.lower())
        if format is None or format not in allowed:
            endings = ", ".join(ending for ending, named in _ENDINGS.items() if named in allowed)
            raise UsageError(f"{output}: no format is known by this ending; wanted {endings}, or --format")
    format = format or Format.table
    if format not in allowed:
        raise UsageError(f"--format {format}: this command has {', '.join(allowed)}")
    return format


def form_for(format: Form | None, output: Path | None) -> Form:
    """The form of a comparison asked for, else the one that the output's ending names, else text.

    Raises:
        UsageError: if the ending names none.
    """
    if format is None and output is not None:
        if output.suffix.lower() not in _FORMS:
            raise UsageError(f"{output}: no format is known by this ending; wanted {', '.join(_FORMS)}, or --format")
        return _FORMS[output.suffix.lower()]
    return format or Form.text
