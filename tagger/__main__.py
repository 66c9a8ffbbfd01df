"""Where the commands `tag` and `tagger` start, and how Ctrl-C ends them: quietly, with exit status 130, at any moment.

Nothing that takes time is imported before that is seen to.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = [
    "main",
    "tag_main",
]


def main() -> None:
    """The command `tagger`."""
    _start("main")


def tag_main() -> None:
    """The command `tag`."""
    _start("tag_main")


def _start(command: str) -> None:
    # Who starts a program with Ctrl-C ignored, as nohup does, means it.
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:
        # An exception could be raised anywhere in what is being imported, and some of it would print it and go on.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from tagger import cli

    try:
        if heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        getattr(cli, command)()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if heard:  # all is done: no traceback from what Python clears away
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
