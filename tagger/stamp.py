"""What tells one state of a file from another: a hash of its bytes, or, at less cost, a stamp of when it was written."""

from __future__ import annotations

from hashlib import blake2b, file_digest
from pathlib import Path
from typing import NamedTuple

__all__ = ["FileStamp", "file_stamp", "hash_bytes", "hash_file"]

_DIGEST_SIZE = 16  # bytes; `b2sum -l 128` gives the same hash


class FileStamp(NamedTuple):
    """When a file was written, how large it is, and which file it is. A program that writes it changes at least one."""

    mtime_ns: int
    n_bytes: int
    inode: int


def file_stamp(path: Path) -> FileStamp | None:
    """The stamp of a file; None where it cannot be looked at."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return FileStamp(stat.st_mtime_ns, stat.st_size, stat.st_ino)


def hash_bytes(data: bytes) -> str:
    """A hash of these bytes, in hexadecimal digits."""
    return blake2b(data, digest_size=_DIGEST_SIZE).hexdigest()


def hash_file(path: Path) -> str | None:
    """The hash of a file's bytes, as `hash_bytes` has it; None where there is no file, "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, lambda: blake2b(digest_size=_DIGEST_SIZE)).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""
