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


@dataclass(frozen=True, slots=True)
class FoundListing:
    """A listing to read: where it is, how it is called in outputs, and the output's path without its ending."""

    path: Path
    source: str
    stem: str
    found_in: str | None


def find_listings(listings: Sequence[str], out: Path, old: Manifest) -> tuple[list[FoundListing], list[Problem]]:
    """The listings by source, each file once, and what was given and is not there."""
    found: dict[Path, FoundListing] = {}
    problems: list[Problem] = []
    own = {(out / output).resolve() for output in old.outputs}
    for given in listings:
        named, pattern = [given], None
        if glob.has_magic(given) and not Path(given).exists():
            named, pattern = sorted(glob.glob(given, recursive=True)), given  # noqa: PTH207 - a Path takes no absolute pattern
            problems += [] if named else [Problem(Source(given), "no file matches it")]
        for path in map(Path, named):
            inside: list[tuple[Path, Path, str | None]] = []
            try:
                path.stat()
            except OSError as error:
                if error.errno != ELOOP or pattern is None:  # a pattern follows links that lead round until there is no end
                    missing = pattern is None and isinstance(error, FileNotFoundError)
                    what = "no such file or folder" if missing else f"cannot be read: {error.strerror}"
                    problems.append(Problem(Source(str(path)), what))
                continue
            if path.is_dir():
                if pattern is None or "**" not in pattern:  # which names what is in there too
                    files, unreadable = _walk_folder(path, out.resolve())
                    inside += [(file, file.relative_to(path), pattern or given) for file in files]
                    problems += unreadable
            else:
                inside.append((path, _path_below(path), pattern))
            for file, relative, found_in in inside:
                place = file.resolve()
                if not str(file).isprintable():  # neither a manifest nor a table could hold it
                    problems.append(Problem(Source(repr(str(file))), "expected a name that can be printed; rename the file"))
                elif found_in is None or place not in own:
                    stem = relative.with_suffix("") if relative.suffix.lower() in LISTING_ENDINGS else relative
                    source = Path(os.path.normpath(file)).as_posix()
                    folder = found_in and os.path.normpath(found_in)
                    found.setdefault(place, FoundListing(file, source, stem.as_posix(), folder))
    return sorted(found.values(), key=lambda listing: listing.source), problems


def _walk_folder(folder: Path, out: Path) -> tuple[list[Path], list[Problem]]:
    """The listings in a folder and those in it, but hidden ones and the output folder; and the folders that cannot be read."""
    found: list[Path] = []
    wrong: list[OSError] = []
    for top, folders, files in os.walk(folder, onerror=wrong.append):
        folders[:] = [name for name in folders if not name.startswith(".") and (Path(top) / name).resolve() != out]
        folders.sort()
        listings = [name for name in files if not name.startswith(".") and name.lower().endswith(LISTING_ENDINGS)]
        found += [Path(top) / name for name in sorted(listings)]  # a disk has an order of its own
    return found, [Problem(Source(str(error.filename)), f"cannot be read: {error.strerror}") for error in wrong]


def _path_below(path: Path) -> Path:
    """A file's path below the output folder: as given, where that leads down from the current folder, else its name."""
    plain = Path(os.path.normpath(path))
    if plain.is_absolute() and plain.is_relative_to(Path.cwd()):
        plain = plain.relative_to(Path.cwd())
    return Path(plain.name) if plain.is_absolute() or ".." in plain.parts else plain


def is_gone(source: str) -> bool:
    """Whether a listing is not there any more; one in a folder that cannot be looked into may well be."""
    try:
        Path(source).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
