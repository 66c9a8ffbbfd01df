"""A terminal that a command has for itself: the whole screen, and every key. It is given back as it was, whatever happens."""

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

__all__ = ["Terminal", "open_terminal", "parse_keys"]

_TAKE_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?2004h"  # a second screen, no cursor, pasted text marked as such
# The first screen again. A terminal without a second screen goes on below what was painted.
_GIVE_SCREEN_BACK = "\x1b[0m\x1b[999;1H\r\n\x1b[?2004l\x1b[?25h\x1b[?1049l"
_KEY_NAMES = {"\r": "enter", "\n": "enter", "\x1b": "escape", "\x03": "ctrl-c", "\x1a": "ctrl-z"}
_KEY_CODES = {"A": "up", "B": "down", "C": "right", "D": "left", "5~": "pageup", "6~": "pagedown"}
# Pasted text is not keys: a listing that is pasted by mistake would label entries.
_INPUT = re.compile(
    r"\x1b\[200~.*?\x1b\[201~|(?P<open>\x1b\[200~.*)|\x1b[\[O](?P<code>[0-?]*[ -/]*[@-~])"
    r"|(?P<part>\x1b(?:[\[O][ -?]*)?$)|\x1b[^\[O]|(?P<key>.)",
    re.DOTALL,
)
_SIZE_INTERVAL = 0.25  # seconds between two looks at the size of the terminal
_ESCAPE_WAIT = 0.1  # seconds: if nothing follows an escape within this time, it is the Escape key


def parse_keys(text: str) -> tuple[list[str], str]:
    r"""The keys in what a terminal sent, and the end of the text that is not a whole key yet.

    >>> parse_keys("1 \r\x1b[A\x1bOB\x1b[Z\x1b[200~qq\x1b[201~é\x1b[")
    (['1', ' ', 'enter', 'up', 'down', 'é'], '\x1b[')
    """
    keys: list[str] = []
    for match in _INPUT.finditer(text):
        rest = match["open"] or match["part"]
        if rest is not None:
            return keys, rest
        if match["key"]:
            keys.append(_KEY_NAMES.get(match["key"], match["key"]))
        elif match["code"] in _KEY_CODES:
            keys.append(_KEY_CODES[match["code"]])
    return keys, ""


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    """The terminal of standard input and output, for this program alone until the end.

    Raises:
        UsageError: if they are not a terminal, or if it cannot be painted on.
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
    opened = Terminal(sys.stdin.fileno())
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number)),
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, lambda number, frame: opened.pause()),
    }
    try:
        opened.enter()
        yield opened
    finally:
        opened.leave()
        for number, handler in before.items():
            signal.signal(number, handler)


class Terminal:
    """Keys one by one, and a screen that is painted whole."""

    def __init__(self, keyboard: int) -> None:
        import termios

        self._keyboard = keyboard
        self._before = termios.tcgetattr(keyboard)
        self._keys: list[str] = []
        self._unparsed = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._size = self.read_size()

    def enter(self) -> None:
        """Take the screen, and every key as it is pressed. What was typed before is dropped: it was for something else."""
        import termios

        mode = termios.tcgetattr(self._keyboard)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._keyboard, termios.TCSAFLUSH, mode)
        self._write(_TAKE_SCREEN)

    def leave(self) -> None:
        """Give the terminal back as it was."""
        import termios

        try:
            self._write(_GIVE_SCREEN_BACK)
        finally:
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)

    def pause(self) -> None:
        """Stop, as Ctrl-Z does. The terminal is given back until the program goes on."""
        self.leave()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self.enter()
        self._size = (0, 0)  # so that the screen is painted again

    def read_size(self) -> tuple[int, int]:
        """Columns and lines; 80 and 24 if the terminal does not say."""
        columns, lines = os.get_terminal_size(self._keyboard)
        return columns or 80, lines or 24

    def read_key(self) -> str | None:
        """The next key, by its name or as a character; None if the terminal has another size than before.

        Raises:
            KeyboardInterrupt: on Ctrl-C, or if the terminal is gone.
        """
        while not self._keys:
            if self.read_size() != self._size:
                self._size = self.read_size()
                return None
            if select.select([self._keyboard], [], [], _ESCAPE_WAIT if self._unparsed else _SIZE_INTERVAL)[0]:
                data = os.read(self._keyboard, 4096)
                if not data:
                    raise KeyboardInterrupt
                self._keys, self._unparsed = parse_keys(self._unparsed + self._decoder.decode(data))
            elif self._unparsed == "\x1b":
                self._keys, self._unparsed = ["escape"], ""
        key = self._keys.pop(0)
        if key == "ctrl-c":
            raise KeyboardInterrupt
        if key == "ctrl-z":
            os.kill(0, signal.SIGTSTP)  # the whole job, as a terminal does it
            return None
        return key

    def paint(self, lines: Sequence[Text]) -> None:
        """Show these lines and nothing else."""
        from rich.console import Console

        width, height = self.read_size()
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
