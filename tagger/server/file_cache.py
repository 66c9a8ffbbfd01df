"""A value that was read from files, read again when one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from tagger.stamp import file_stamp

__all__ = ["CachedFromFiles"]

T = TypeVar("T")


class CachedFromFiles(Generic[T]):
    """A value read from files. A call reads it again if a file changed since; one thread reads, the others wait.

    Args:
        read: reads the value.
        files: gives the files that the value comes from.
    """

    def __init__(self, read: Callable[[], T], files: Callable[[], Iterable[Path]]) -> None:
        self._read, self._files, self._lock = read, files, Lock()
        self._stamps: object = None
        self._value: T

    def __call__(self) -> T:
        """The value, as the files are now."""
        with self._lock:
            # The stamps are taken before reading, so that a change during the read is seen by the next call.
            stamps = [(path, file_stamp(path)) for path in self._files()]
            if stamps != self._stamps:
                self._value = self._read()
                self._stamps = stamps
            return self._value
