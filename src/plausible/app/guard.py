"""What reaches the server of the page at all: requests that name this machine, are small enough, and ask for no other."""

from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = ["127.0.0.1", "localhost", "[::1]"]
_MEGABYTE = 2**20
_ELSEWHERE = ("/file=http", "/proxy=")  # by which the server would fetch something for the page


def guards(local: bool, max_upload: int) -> list[Middleware]:
    """Those of a page that only this machine reaches, or others too.

    local       a request that calls this server by another name comes from a page of somebody else, whose name was
                made to point here (DNS rebinding): it is refused.
    max_upload  megabytes of a request.
    """
    found = [Middleware(Guard, most=max_upload * _MEGABYTE)]
    return [Middleware(TrustedHostMiddleware, allowed_hosts=_LOCAL), *found] if local else found


class Guard:
    """Refuses requests that are too large, come from the page of another server, or ask this one to fetch from others."""

    def __init__(self, app: ASGIApp, most: int):
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = _refusal(scope, self._most) if scope["type"] == "http" else None
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _refusal(scope: Scope, most: int) -> PlainTextResponse | None:
    if any(word in scope["path"].lower() for word in _ELSEWHERE):
        return PlainTextResponse("this server fetches nothing from others", 403)
    headers: dict[bytes, bytes] = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and urlsplit(origin).netloc != headers.get(b"host", b"").decode("latin-1"):
        return PlainTextResponse("pages of others may ask nothing of this server", 403)
    length = headers.get(b"content-length", b"")
    body = scope["method"] in ("POST", "PUT", "PATCH")
    if body and not length.isdigit():
        return PlainTextResponse("say how large the request is", 411)
    if body and int(length) > most:
        return PlainTextResponse("the request is larger than --max-upload allows", 413)
    return None
