"""Which entries a listing did not have at a revision of the git repository around the current folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from tagger.entry import Entry
from tagger.errors import ListingError, UsageError
from tagger.formats.registry import decode_text, read_entries

__all__ = [
    "added_since",
]


def added_since(revision: str, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that their files, as `source` names them, did not have at the revision; all of a file that is new.

    Raises:
        UsageError: if there is no git repository or no such revision.
    """
    known = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}")
    if known.returncode and (revision != "HEAD" or _git("rev-parse", "--git-dir").returncode):  # before the first commit
        said = known.stderr.decode(errors="replace").strip()
        raise UsageError(f"--since {revision}: {said or 'the git repository here has no such revision'}")
    then: dict[str, set[str]] = {}
    added = []
    for entry in entries:
        path = "" if entry.source is None else entry.source.path
        if path not in then:
            then[path] = _ids(revision, path)
        if entry.id not in then[path]:
            added.append(entry)
    return tuple(added)


def _ids(revision: str, path: str) -> set[str]:
    """The ids of the entries that a file had."""
    found = _git("show", f"{revision}:./{os.path.relpath(path or '.')}")
    if found.returncode:
        return set()
    try:
        return {
            entry.id for entry in read_entries(decode_text(found.stdout, path), path, 1).entries
        }  # the year is no part of an id
    except ListingError:
        return set()


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"--since: git cannot be run: {error.strerror}") from None
