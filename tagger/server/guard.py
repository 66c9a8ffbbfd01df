"""What every request must be before it is looked at, and what every answer says of itself."""

from __future__ import annotations

from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "LOOPBACK",
    "POLICY",
    "Guard",
    "GuardMiddleware",
]


LOOPBACK = ("127.0.0.1", "localhost", "::1")


HEADER = "x-tagger-token"


API = "/v1/"  # changes nothing on disk, so that a program needs no token that only the page is told


_MAX_BODY = 1 << 20  # bytes of a body


_RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}


POLICY = "; ".join(f"{rule} {value}" for rule, value in _RULES.items())


_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with "no-referrer" a form of this page would come from "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Who may do what: known by the name that a server is called by, by the run's token, and by a secret where there is one.

    Args:
        host: the address that the server listens at.
        port: its port.
        secret: without which nothing is to be read; None for a page that all of this machine may read.
    """

    def __init__(self, host: str, port: int, secret: str | None = None) -> None:
        names = LOOPBACK if host in LOOPBACK else (host,)
        # Behind an address that stands for all of them, a name says nothing; there the secret alone decides.
        self.hosts = None if host in ("0.0.0.0", "::") else frozenset(_netlocs(names, port))
        self.token = token_urlsafe(32)  # of this run, which the page sends back with every change
        self.cookie = f"tagger-{port}"
        self._secret, self._session = secret, token_urlsafe(32)

    def enter(self, secret: str) -> str | None:
        """What the cookie of somebody who knows the secret holds; None for others."""
        known = self._secret is not None and compare_digest(secret.encode(), self._secret.encode())
        return self._session if known else None

    def refuse(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        """Why a request is not answered, with its status; None if it is."""
        host = headers.get("host", "")
        if self.hosts is not None and host.casefold() not in self.hosts:
            return 421, f"this server is not called {host!r}; it is {' or '.join(sorted(self.hosts))}"
        entering = path == "/enter" or path.startswith("/static/")  # before somebody has given the secret
        if not entering and not self._known(headers):
            return 401, "the token that the server was started with is needed"
        if method in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.casefold() != host.casefold():
            return 403, f"a page of {origin!r} changes nothing here"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "a page of another site changes nothing here"
        if entering or path.startswith(API):
            return None
        if not compare_digest(headers.get(HEADER, "").encode(), self.token.encode()):
            return 403, "the server was restarted; reload the page"
        return None

    def _known(self, headers: Headers) -> bool:
        if self._secret is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        cookie = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        by_name = scheme.casefold() == "bearer" and compare_digest(given.strip().encode(), self._secret.encode())
        return by_name or compare_digest(cookie.encode(), self._session.encode())


class GuardMiddleware:
    """Around an application: refuses what a guard refuses and what is too long; gives every answer its headers."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":  # there are no sockets here
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    given.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refused = self._guard.refuse(scope["method"], scope["path"], headers)
        if refused is None and not scope["path"].startswith(API):
            body = await _body(headers, receive)
            if body is None:
                refused = 413, f"expected a body of at most {_MAX_BODY} bytes, found more"
            else:
                receive = _again(body, receive)
        if refused is None:
            await self._app(scope, receive, sent)
            return
        status, why = refused
        error = {"problems": [], "message": why} if scope["path"].startswith(API) else why  # as the API's own errors are
        answer: Response = JSONResponse({"error": error}, status)
        if status == 401:
            answer.headers["www-authenticate"] = "Bearer"
            if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
                answer = Response(status_code=303, headers={"location": "/enter"})
        await answer(scope, receive, sent)


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The body of a request, None if it is too long."""
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > _MAX_BODY:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > _MAX_BODY:
            return None
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read once more."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _netlocs(names: tuple[str, ...], port: int) -> set[str]:
    hosts = {f"[{name}]" if ":" in name else name.casefold() for name in names}
    return {f"{host}:{port}" for host in hosts} | (hosts if port == 80 else set())
