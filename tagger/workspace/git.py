"""Which entries a listing did not have at an earlier revision of its git repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from tagger.entry import Entry
from tagger.errors import ListingError, UsageError
from tagger.formats.registry import decode_text, read_entries

__all__ = ["entries_added_since"]


def entries_added_since(revision: str, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that their files did not have at a revision of the repository around the current folder.

    All entries of a file that is new count. The file of an entry is the one that its `source` names.

    Raises:
        UsageError: if there is no git repository or no such revision.
    """
    _require_revision(revision)
    ids_in_file: dict[str, set[str]] = {}
    added = []
    for entry in entries:
        path = "" if entry.source is None else entry.source.path
        if path not in ids_in_file:
            ids_in_file[path] = _read_ids(revision, path)
        if entry.id not in ids_in_file[path]:
            added.append(entry)
    return tuple(added)


def _require_revision(revision: str) -> None:
    """An error unless there is such a revision, or the repository has no commit yet and HEAD is asked for."""
    parsed = _run_git("rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}")
    if parsed.returncode and (revision != "HEAD" or _run_git("rev-parse", "--git-dir").returncode):
        message = parsed.stderr.decode(errors="replace").strip()
        raise UsageError(f"--since {revision}: {message or 'the git repository here has no such revision'}")


def _read_ids(revision: str, path: str) -> set[str]:
    """The ids of the entries that a file had at a revision; none where it was not there or cannot be read."""
    shown = _run_git("show", f"{revision}:./{os.path.relpath(path or '.')}")
    if shown.returncode:
        return set()
    try:
        listing = read_entries(decode_text(shown.stdout, path), path, 1)  # the year is no part of an id
    except ListingError:
        return set()
    return {entry.id for entry in listing.entries}


def _run_git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"--since: git cannot be run: {error.strerror}") from None
