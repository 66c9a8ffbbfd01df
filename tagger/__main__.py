"""Where the commands `tag` and `tagger` start, and how Ctrl-C ends them: quietly, with exit status 130, at any moment.

So nothing that takes time is imported before Ctrl-C is taken care of.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["main", "tag_main"]


def main() -> None:
    """The command `tagger`."""
    _start("main")


def tag_main() -> None:
    """The command `tag`."""
    # Tagging multiplies no dense matrices, and the threads that numpy would start for that take a tenth of the command's time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _start("tag_main")


def _start(command: str) -> None:
    # A program that was started with Ctrl-C ignored, as nohup does, keeps ignoring it.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        # A KeyboardInterrupt inside a module that is being imported might be printed, or even swallowed.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from tagger import cli

    try:
        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        getattr(cli, command)()
    except KeyboardInterrupt:
        sys.exit(130)  # as `tagger.errors.ExitStatus` has it, which may not be imported yet
    finally:
        if interruptible:  # the work is done: no traceback while Python ends
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
