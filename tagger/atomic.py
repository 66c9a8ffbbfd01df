"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from tagger.errors import OutputError

__all__ = ["locked", "remove_leftovers", "write_whole"]


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file through a temporary one beside it, flushed and renamed: a reader sees the old file or the new one.

    A link is followed. Something that is no file, such as a pipe, is written to as it is.

    Raises:
        OutputError: if it cannot be written; a file that was there is then as it was.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    import tempfile

    temporary = None
    try:
        target = path.resolve()
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other programs that ask for the same folder waiting, so that what is read is still there when it is written.

    The lock is on the folder itself, leaves no file behind and ends with the process. Where a system or a file system knows no
    such lock, there is none.

    Raises:
        OutputError: if there is no such folder.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written to: {error.strerror}") from None
    try:
        with suppress(OSError):  # some network file systems
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that a killed `write_whole` of this path left beside it."""
    for leftover in path.parent.glob(f".{escape(path.name)}.????????.tmp"):
        leftover.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
