"""Guard before the page: who may ask, for what, how much, and what the browser may fetch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

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

    def __init__(self, app: Application, hosts: Iterable[str], most_bytes: int) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._most = most_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(scope, send, *refused)
            return
        await self._app(scope, _limited(receive, self._most), _with_headers(send))

    def _refused(
        self, scope: MutableMapping[str, Any], headers: MutableMapping[bytes, bytes]
    ) -> tuple[int, str] | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in self._hosts:
            return 403, "this address is not served here"
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() not in self._origins:
            return 403, "requests of other pages are refused"
        if headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site") and scope.get("method") != "GET":
            return 403, "requests of other pages are refused"
        if _is_closed(scope["path"]):
            return 404, "not served here"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._most:
            return 413, f"the file is larger than the {self._most // 2**20} MiB that are taken"
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
            known = {name.lower() for name, _ in message.get("headers", ())}
            added = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in known]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return sending


async def _answer(scope: MutableMapping[str, Any], send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
