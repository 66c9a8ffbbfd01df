"""`BatchSettings`: what decides, beside the listings, what the outputs of a batch hold."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tagger import DISTRIBUTION
from tagger.errors import UsageError
from tagger.formats.format import Format
from tagger.formats.registry import COMBINABLE_FORMATS, TEXT_FORMATS
from tagger.workspace.workspace import Workspace

__all__ = ["BatchSettings", "choose_output_format"]


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What decides, beside the listings, what the outputs hold.

    Attributes:
        format: the name of a format of text, as `--format` has it.
        combined: the name in the output folder of one file for all, its format from its ending; None for one file a listing.
        year: of dates without one; None for the year in which the listing was first tagged.
        model: the model file; None for the workspace's, else the one shipped.
        workspace: whose model and hand labels count.
        use_labels: whether hand labels go before the model's tags.
    """

    format: str = "csv"
    combined: str | None = None
    year: int | None = None
    model: Path | None = None
    workspace: Workspace | None = None
    use_labels: bool = True


def choose_output_format(settings: BatchSettings) -> Format:
    """The format of the outputs.

    Raises:
        UsageError: if there is no such format, if the combined output has a path or an ending that cannot be, or if the format
            needs what is not installed.
    """
    if settings.combined is None:
        by_name = {format.name: format for format in TEXT_FORMATS}
        if settings.format not in by_name:
            raise UsageError(f"unknown format {settings.format!r}; known: {', '.join(by_name)}")
        return by_name[settings.format]
    path = Path(settings.combined)
    by_ending = {ending: format for format in COMBINABLE_FORMATS for ending in format.endings}
    format = by_ending.get(path.suffix.lower())
    if path.is_absolute() or ".." in path.parts or format is None:
        raise UsageError(f"--combined {path}: expected a file's name in the output folder that ends in {', '.join(by_ending)}")
    if format.needs is not None and find_spec(format.needs.package) is None:
        install = f"pip install '{DISTRIBUTION}[{format.needs.extra}]'"
        raise UsageError(f"--combined {path}: needs {format.needs.package}, which is not installed; {install}")
    return format
