"""Which requests are refused before anything reads them, and the headers that every answer has."""

from __future__ import annotations

from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LOOPBACK", "PAGE_POLICY", "Guard", "GuardMiddleware"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")  # the names of this machine that only it can reach
_TOKEN_HEADER = "x-tagger-token"
_API = "/v1/"  # it changes nothing on disk, so a program that asks it needs no token of the page
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

PAGE_POLICY = "; ".join(f"{rule} {value}" for rule, value in _RULES.items())

_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with "no-referrer" a browser would send "null" as the origin of the page's own form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Who may read and who may change something.

    A request must call the server by its name, so that no other site can reach it through a name of its own. A change must come
    from the server's own page and carry the token of this run. If there is a secret, a request must also prove to know it.

    Args:
        host: the address that the server listens on.
        port: its port.
        secret: what everybody must know; None for a page that all users of this machine may open.
    """

    def __init__(self, host: str, port: int, secret: str | None = None) -> None:
        names = LOOPBACK if host in LOOPBACK else (host,)
        # A server that listens on all addresses can have any name, so there the secret alone decides.
        self.hosts = None if host in ("0.0.0.0", "::") else frozenset(_netlocs(names, port))
        self.token = token_urlsafe(32)  # of this run; the page sends it back with every change
        self.cookie = f"tagger-{port}"  # the name of the cookie that proves the secret was given
        self._secret, self._cookie_value = secret, token_urlsafe(32)

    def enter(self, secret: str) -> str | None:
        """The value of the cookie for somebody who knows the secret; None for others."""
        known = self._secret is not None and compare_digest(secret.encode(), self._secret.encode())
        return self._cookie_value if known else None

    def refuse(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        """The status and the reason with which a request is refused; None if it is answered."""
        host = headers.get("host", "")
        if self.hosts is not None and host.casefold() not in self.hosts:
            return 421, f"this server is not called {host!r}; it is {' or '.join(sorted(self.hosts))}"
        entering = path == "/enter" or path.startswith("/static/")  # open to those who have not given the secret yet
        if not entering and not self._knows_secret(headers):
            return 401, "the token that the server was started with is needed"
        if method in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.casefold() != host.casefold():
            return 403, f"a page of {origin!r} changes nothing here"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "a page of another site changes nothing here"
        if entering or path.startswith(_API):
            return None
        if not compare_digest(headers.get(_TOKEN_HEADER, "").encode(), self.token.encode()):
            return 403, "the server was restarted; reload the page"
        return None

    def _knows_secret(self, headers: Headers) -> bool:
        if self._secret is None:
            return True
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        cookie = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        by_header = scheme.casefold() == "bearer" and compare_digest(secret.strip().encode(), self._secret.encode())
        return by_header or compare_digest(cookie.encode(), self._cookie_value.encode())


class GuardMiddleware:
    """Stands before an application: refuses what the guard refuses and what is too long, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":  # the application has no web sockets
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._guard.refuse(scope["method"], scope["path"], headers)
        if refusal is None and not scope["path"].startswith(_API):  # the API has limits of its own
            body = await _receive_body(headers, receive)
            if body is None:
                refusal = 413, f"expected a body of at most {_MAX_BODY} bytes, found more"
            else:
                receive = _replay(body, receive)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await _refusal_response(*refusal, scope)(scope, receive, send_with_headers)


def _refusal_response(status: int, reason: str, scope: Scope) -> Response:
    is_api = scope["path"].startswith(_API)
    response = JSONResponse({"error": {"problems": [], "message": reason} if is_api else reason}, status)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
        if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
            return Response(status_code=303, headers={"location": "/enter"})
    return response


async def _receive_body(headers: Headers, receive: Receive) -> bytes | None:
    """The body of a request; None if it is too long."""
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


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that first gives a body which was read already."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _netlocs(names: tuple[str, ...], port: int) -> set[str]:
    """What a Host header says for some names and a port. Browsers leave out port 80."""
    hosts = {f"[{name}]" if ":" in name else name.casefold() for name in names}
    return {f"{host}:{port}" for host in hosts} | (hosts if port == 80 else set())
