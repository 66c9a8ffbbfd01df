"""The files with the text of labelled entries: `labels/entries/*.txt`, each in a format that listings are read in."""

from __future__ import annotations

from pathlib import Path

from tagger.entry import Entry
from tagger.formats.registry import LISTING_FORMATS, find_holding_format

__all__ = ["entry_file_for", "find_entry_files"]

_FOLDER = "entries"
_ENDING = ".txt"


def find_entry_files(labels: Path) -> list[Path]:
    """The files of entries in a folder labels/, in the order of their names."""
    return sorted((labels / _FOLDER).glob(f"*{_ENDING}"))


def entry_file_for(labels: Path, entry: Entry) -> Path:
    """The file in a folder labels/ for the text of a new entry. It is named after the listing that the entry is from."""
    listing = Path("by-hand" if entry.source is None else entry.source.path)
    format = find_holding_format(entry)
    ending = "" if format is LISTING_FORMATS[0] else format.ending  # so that files of two formats stay apart
    return labels / _FOLDER / f"{listing.stem}{ending}{_ENDING}"
