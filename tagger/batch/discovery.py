"""Which listings a batch reads: files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from errno import ELOOP
from pathlib import Path

from tagger.batch.manifest import Manifest
from tagger.errors import Problem
from tagger.formats.registry import LISTING_ENDINGS
from tagger.source import Source

__all__ = ["FoundListing", "find_listings", "is_gone"]


@dataclass(frozen=True, slots=True)
class FoundListing:
    """A listing to read.

    Attributes:
        path: where it is.
        source: what it is called in outputs and in the manifest: its path as given, with "/".
        stem: the path of its output in the output folder, without an ending.
        found_in: the folder or pattern given in which it was found; None for a file given by name.
    """

    path: Path
    source: str
    stem: str
    found_in: str | None


def find_listings(searched: Sequence[str], out: Path, old: Manifest) -> tuple[list[FoundListing], list[Problem]]:
    """The listings by source, each file once, and what is wrong with what was given.

    Args:
        searched: files, folders and patterns.
        out: the folder of outputs; what is in it is no listing, unless it is given by name.
        old: what the last run wrote.
    """
    search = _ListingSearch(out.resolve(), frozenset((out / output).resolve() for output in old.outputs))
    for each in searched:
        if glob.has_magic(each) and not Path(each).exists():
            search.add_pattern(each)
        else:
            search.add_path(Path(each), searched=each, pattern=None)
    return sorted(search.found.values(), key=lambda listing: listing.source), search.problems


def is_gone(source: str) -> bool:
    """Whether a listing is not there any more; one in a folder that cannot be looked into may well be."""
    try:
        Path(source).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class _ListingSearch:
    """The listings found so far, by where they really are."""

    def __init__(self, out: Path, outputs: frozenset[Path]) -> None:
        self._out, self._outputs = out, outputs
        self.found: dict[Path, FoundListing] = {}
        self.problems: list[Problem] = []

    def add_pattern(self, pattern: str) -> None:
        """Add what a pattern such as "lists/**/*.txt" matches."""
        names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - a Path takes no absolute pattern
        if not names:
            self.problems.append(Problem(Source(pattern), "no file matches it"))
        for name in names:
            self.add_path(Path(name), searched=pattern, pattern=pattern)

    def add_path(self, path: Path, searched: str, pattern: str | None) -> None:
        """Add a file, or the listings in a folder.

        Args:
            path: the file or folder.
            searched: the file, folder or pattern that was given.
            pattern: the pattern that matched it; None where it was given by name.
        """
        try:
            path.stat()
        except OSError as error:
            self._add_missing(path, error, pattern)
            return
        if not path.is_dir():
            self._add_file(path, _path_below(path), found_in=pattern)
        elif pattern is None or "**" not in pattern:  # which matches what is in the folder, too
            for file in self._walk_folder(path):
                self._add_file(file, file.relative_to(path), found_in=searched)

    def _add_missing(self, path: Path, error: OSError, pattern: str | None) -> None:
        if error.errno == ELOOP and pattern is not None:
            return  # a pattern follows links that lead round until the system stops it; what they lead to is found before
        is_missing = pattern is None and isinstance(error, FileNotFoundError)
        message = "no such file or folder" if is_missing else f"cannot be read: {error.strerror}"
        self.problems.append(Problem(Source(str(path)), message))

    def _add_file(self, file: Path, relative: Path, found_in: str | None) -> None:
        real_path = file.resolve()
        if not str(file).isprintable():  # neither a manifest nor a table could hold it
            self.problems.append(Problem(Source(repr(str(file))), "expected a name that can be printed; rename the file"))
        elif found_in is None or real_path not in self._outputs:
            stem = relative.with_suffix("") if relative.suffix.lower() in LISTING_ENDINGS else relative
            source = Path(os.path.normpath(file)).as_posix()
            folder = found_in and os.path.normpath(found_in)
            self.found.setdefault(real_path, FoundListing(file, source, stem.as_posix(), folder))

    def _walk_folder(self, folder: Path) -> list[Path]:
        """The listings in a folder and those in it, but not in hidden ones nor in the folder of outputs."""
        listings: list[Path] = []
        errors: list[OSError] = []
        for top, folders, files in os.walk(folder, onerror=errors.append):
            folders[:] = [name for name in folders if not name.startswith(".") and (Path(top) / name).resolve() != self._out]
            folders.sort()
            names = [name for name in files if not name.startswith(".") and name.lower().endswith(LISTING_ENDINGS)]
            listings += [Path(top) / name for name in sorted(names)]  # a disk has an order of its own
        for error in errors:
            self.problems.append(Problem(Source(str(error.filename)), f"cannot be read: {error.strerror}"))
        return listings


def _path_below(path: Path) -> Path:
    """A file's path below the output folder: as given, where that leads down from the current folder, else its name."""
    plain = Path(os.path.normpath(path))
    if plain.is_absolute() and plain.is_relative_to(Path.cwd()):
        plain = plain.relative_to(Path.cwd())
    return Path(plain.name) if plain.is_absolute() or ".." in plain.parts else plain
