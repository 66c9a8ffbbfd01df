"""A terminal of which a command has the whole screen and every key, given back as it was, whatever happens."""

from __future__ import annotations

import codecs
import io
import os
import re
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tagger.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Terminal", "keys_in", "terminal"]

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?2004h"  # a screen of its own, no cursor, pasted text marked as such
_LEAVE = "\x1b[0m\x1b[999;1H\r\n\x1b[?2004l\x1b[?25h\x1b[?1049l"  # below all, where a terminal has no second screen
_NAMES = {"\r": "enter", "\n": "enter", "\x1b": "escape", "\x03": "ctrl-c", "\x1a": "ctrl-z"}
_CODES = {"A": "up", "B": "down", "C": "right", "D": "left", "5~": "pageup", "6~": "pagedown"}
# What is pasted is no key: a listing pasted by mistake would label entries.
_SENT = re.compile(
    r"\x1b\[200~.*?\x1b\[201~|(?P<open>\x1b\[200~.*)|\x1b[\[O](?P<code>[0-?]*[ -/]*[@-~])"
    r"|(?P<part>\x1b(?:[\[O][ -?]*)?$)|\x1b[^\[O]|(?P<key>.)",
    re.DOTALL,
)
_LOOK = 0.25  # seconds between looks at the terminal's size
_REST = 0.1  # seconds in which what follows an escape comes, if it is not the key itself


def keys_in(text: str) -> tuple[list[str], str]:
    r"""The keys in what a terminal sent, and the end of it that is not whole yet.

    >>> keys_in("1 \r\x1b[A\x1bOB\x1b[Z\x1b[200~qq\x1b[201~é\x1b[")
    (['1', ' ', 'enter', 'up', 'down', 'é'], '\x1b[')
    """
    keys: list[str] = []
    for match in _SENT.finditer(text):
        rest = match["open"] or match["part"]
        if rest is not None:
            return keys, rest
        if match["key"]:
            keys.append(_NAMES.get(match["key"], match["key"]))
        elif match["code"] in _CODES:
            keys.append(_CODES[match["code"]])
    return keys, ""


@contextmanager
def terminal() -> Iterator[Terminal]:
    """The terminal of standard input and output, for this program alone until the end.

    Raises:
        UsageError: if they are no terminal, or one that cannot be painted on.
    """
    instead = "edit labels/labels.csv instead"
    if sys.platform == "win32":
        raise UsageError(
            f"labelling reads keys as terminals of Linux and macOS send them, and not on Windows: use WSL, or {instead}"
        )
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if not stream.isatty():
            raise UsageError(f"labelling wants a terminal, and standard {name} is none; {instead}")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(f"labelling wants a terminal that can be painted on, and TERM names none; {instead}")
    found = Terminal(sys.stdin.fileno())
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number)),
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, lambda number, frame: found.pause()),
    }
    try:
        found.enter()
        yield found
    finally:
        found.leave()
        for number, handler in before.items():
            signal.signal(number, handler)


class Terminal:
    """Keys one by one, and a screen that is painted whole."""

    def __init__(self, keyboard: int) -> None:
        import termios

        self._keyboard = keyboard
        self._before = termios.tcgetattr(keyboard)
        self._keys: list[str] = []
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._size = self.size()

    def enter(self) -> None:
        """Take the screen, and every key as it is pressed; what was typed before it meant something else and is dropped."""
        import termios

        mode = termios.tcgetattr(self._keyboard)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._keyboard, termios.TCSAFLUSH, mode)
        self._write(_ENTER)

    def leave(self) -> None:
        """Give the terminal back as it was."""
        import termios

        try:
            self._write(_LEAVE)
        finally:
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)

    def pause(self) -> None:
        """Stop, as Ctrl-Z does, with the terminal given back meanwhile."""
        self.leave()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self.enter()
        self._size = (0, 0)  # so that the screen is painted anew

    def size(self) -> tuple[int, int]:
        """Columns and lines; what terminals had of old where it does not say."""
        columns, lines = os.get_terminal_size(self._keyboard)
        return columns or 80, lines or 24

    def key(self) -> str | None:
        """The next key, by its name or as a character; None where the terminal has another size than before.

        Raises:
            KeyboardInterrupt: on Ctrl-C, or if the terminal is gone.
        """
        while not self._keys:
            if self.size() != self._size:
                self._size = self.size()
                return None
            if select.select([self._keyboard], [], [], _REST if self._rest else _LOOK)[0]:
                data = os.read(self._keyboard, 4096)
                if not data:
                    raise KeyboardInterrupt
                self._keys, self._rest = keys_in(self._rest + self._decoder.decode(data))
            elif self._rest == "\x1b":
                self._keys, self._rest = ["escape"], ""
        key = self._keys.pop(0)
        if key == "ctrl-c":
            raise KeyboardInterrupt
        if key == "ctrl-z":
            os.kill(0, signal.SIGTSTP)  # all of the job, as the terminal does
            return None
        return key

    def paint(self, lines: Sequence[Text]) -> None:
        """Show these lines, and nothing else."""
        from rich.console import Console

        width, height = self.size()
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=width)
        for n, line in enumerate(lines, 1):
            out.write(f"\x1b[{n};1H\x1b[2K")
            console.print(line, end="", soft_wrap=True, highlight=False)
        if len(lines) < height:
            out.write(f"\x1b[{len(lines) + 1};1H\x1b[J")
        self._write(out.getvalue())

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
