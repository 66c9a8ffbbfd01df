"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from glob import escape
from pathlib import Path

from tagger.errors import OutputError

__all__ = ["remove_leftovers", "write_whole"]


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file through a temporary one beside it, flushed and renamed: a reader sees the old file or the new one.

    A link is followed. Something that is no file, such as a pipe, is written to as it is.

    Raises:
        OutputError: if it cannot be written; a file that was there is then as it was.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
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


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that a killed `write_whole` of this path left beside it."""
    for leftover in path.parent.glob(f".{escape(path.name)}.????????.tmp"):
        leftover.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
