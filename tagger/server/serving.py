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
    from tagger.server.review import Review

__all__ = ["check_can_serve", "serve"]

_MIN_SECRET = 16  # characters
_REQUIRED_PACKAGES = ("fastapi", "uvicorn", "jinja2")


def check_can_serve(host: str, secret: str | None) -> None:
    """Check whether a server may be started, before anything is read.

    Raises:
        UsageError: if a package is not installed that the page needs, or if there is no secret, or a short one, for an address
            that other machines can reach.
    """
    if missing := [name for name in _REQUIRED_PACKAGES if find_spec(name) is None]:
        raise UsageError(
            f"the page needs {', '.join(missing)}; run: pip install '{DISTRIBUTION}[review]' "
            "(in a checkout: pip install '.[review]')"
        )
    from tagger.server.guard import LOOPBACK

    if host not in LOOPBACK and secret is None:
        raise UsageError(f"--host {host}: other machines can reach this address; give --token too, or leave both out")
    if secret is not None and (len(secret) < _MIN_SECRET or not secret.isascii()):
        raise UsageError(f"--token: expected {_MIN_SECRET} letters or digits at least, found {len(secret)}")


def serve(review: Review, host: str, port: int, secret: str | None, audit: bool, ready: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted.

    Args:
        review: the entries and the work in the background.
        host: the address to listen on.
        port: the port; 0 for one that is free.
        secret: what every visitor must give; None for nothing.
        audit: whether to look for doubtful labels from the start.
        ready: called with the page's address as soon as it can be opened.

    Raises:
        UsageError: if the server cannot listen on the address.
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
            raise UsageError(
                f"{host}:{port}: cannot listen on this address: {error.strerror}; --port 0 takes a free one"
            ) from None
        listener.listen(128)
        port = listener.getsockname()[1]
        app = make_app(review, Guard(host, port, secret))
        if audit:
            review.start_audit()
        settings = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=5
        )
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
        with suppress(KeyboardInterrupt):  # Ctrl-C is how a user ends the server
            uvicorn.Server(settings).run(sockets=[listener])
