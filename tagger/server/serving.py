"""Starting and ending the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tagger import DISTRIBUTION
from tagger.errors import UsageError

if TYPE_CHECKING:
    from tagger.server.session import ReviewSession

__all__ = [
    "check",
    "serve",
]


_LEAST = 16  # letters of a secret


_NEEDED = ("fastapi", "uvicorn", "jinja2")


def check(host: str, secret: str | None) -> None:
    """Whether a server may be started, before anything is read.

    Raises:
        UsageError: if what the page needs is not installed, or an address that others reach has no secret, or a short one.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise UsageError(
            f"the page needs {', '.join(missing)}; run: pip install '{DISTRIBUTION}[review]' "
            "(in a checkout: pip install '.[review]')"
        )
    from tagger.server.guard import LOOPBACK

    if host not in LOOPBACK and secret is None:
        raise UsageError(f"--host {host}: others reach this address; give --token too, or leave both out")
    if secret is not None and (len(secret) < _LEAST or not secret.isascii()):
        raise UsageError(f"--token: expected {_LEAST} letters or digits at least, found {len(secret)}")


def serve(desk: ReviewSession, host: str, port: int, secret: str | None, audit: bool, ready: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted.

    Args:
        desk: what to review.
        host: the address to listen at.
        port: the port; 0 for one that is free.
        secret: what every request must carry, None for nothing.
        audit: whether to begin to look for doubtful labels at once.
        ready: called with the page's address when it can be opened.

    Raises:
        UsageError: if the address cannot be listened at.
    """
    import uvicorn

    from tagger.server.app import make_app
    from tagger.server.guard import Guard

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError as error:
            raise UsageError(f"{host}:{port}: cannot be listened at: {error.strerror}; --port 0 takes a free one") from None
        listener.listen(128)
        port = listener.getsockname()[1]
        app = make_app(desk, Guard(host, port, secret))
        if audit:
            app.state.review.audit()
        settings = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=5
        )
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
        with suppress(KeyboardInterrupt):  # the way to end it
            uvicorn.Server(settings).run(sockets=[listener])
