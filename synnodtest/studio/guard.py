"""Guard before the page: who may ask, for what, how much, and what the browser may fetch."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED = ("upload", "upload_progress", "file", "proxy", "stream", "deep_link", "runs", "dev", "theme_dir")
"""Of Gradio's own routes: uploads and files go through the studio's, which know whose they are."""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing is fetched from elsewhere, whatever a page asks for."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def hosts_of(port: int) -> frozenset[str]:
    """Return what a browser on this machine calls the server."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


class Guard:
    """ASGI middleware; whatever it refuses never reaches the application.

    403 for a foreign ``Host`` (DNS rebinding) or ``Origin`` (another page in the same browser), 404 for routes that
    are closed, 413 for a body beyond the limit, whether its length is announced or not.

    Args:
        app: What is guarded.
        hosts: Accepted ``Host`` headers.
        most_bytes: Limit of a request's body.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], most_bytes: int) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif (refused := self._refused(scope, Headers(scope=scope))) is None:
            await self._app(scope, _limited(receive, self._most), _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("this address is not served here", 403)
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site") and scope.get("method") != "GET"
        if foreign or ("origin" in headers and headers["origin"].lower() not in self._origins):
            return PlainTextResponse("requests of other pages are refused", 403)
        if _is_closed(scope["path"]):
            return PlainTextResponse("not served here", 404)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._most:
            return PlainTextResponse(f"the file is larger than the {self._most // 2**20} MiB that are taken", 413)
        return None


def _is_closed(path: str) -> bool:
    _, separator, rest = path.partition("/gradio_api/")
    return bool(separator) and rest.split("/")[0].split("=")[0] in CLOSED


def _limited(receive: Receive, most: int) -> Receive:
    """Return a receiver that ends a body of unannounced length beyond the limit, as if the client had gone."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return {"type": "http.disconnect"} if received > most else message

    return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
