"""A terminal for tests: a program on a pseudo-terminal, and what a person would see of it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte

# A session of its own with the terminal as the one that controls it, as a login has it.
_LOGIN = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
_PATIENCE = 30  # seconds; reached only by a test that fails


class Screen:
    """A program on a terminal of some columns and lines."""

    def __init__(
        self, command: Sequence[str | Path], cwd: Path, columns: int = 80, lines: int = 24, **environment: str
    ) -> None:
        self.master, slave = os.openpty()
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, lines)
        self.mode = termios.tcgetattr(slave)
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES", "COLORTERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LOGIN, *command],
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm-256color", "PYTHONWARNINGS": "error", **environment},
        )
        self._slave = slave  # kept open, so that what the program wrote last can be read after its end

    def close(self) -> None:
        """Kill the program if it still runs, and take the terminal away."""
        self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self.master)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def text(self) -> str:
        """What is to be seen, without spaces at the ends of lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def look(self, seconds: float) -> bool:
        """Read what comes within some time; whether anything came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 65536)
        self.raw += data
        self._stream.feed(data)
        return True

    def wait(self, *wanted: str) -> str:
        """What is to be seen as soon as all of this is."""
        end = time.monotonic() + _PATIENCE
        while not all(part in self.text() for part in wanted):
            assert time.monotonic() < end, f"waited for {wanted}, found:\n{self.text()}"
            self.look(0.1)
        while self.look(0.05):
            pass
        return self.text()

    def restored(self) -> bool:
        """Whether the terminal is as the program found it."""
        modes = [self.raw.rfind(f"\x1b[?{mode}{to}".encode()) for mode, to in (("1049", "h"), ("1049", "l"), ("25", "h"))]
        return modes[0] < modes[1] and modes[2] > modes[0] and termios.tcgetattr(self._slave) == self.mode

    def end(self) -> int:
        """The exit status; what the program wrote last is read."""
        while self.process.poll() is None:
            self.look(0.05)
        while self.look(0):
            pass
        return self.process.returncode
