"""One request to a detector's server, and every way in which it can go wrong, in words.

No redirect is followed: a 301 would turn the POST with the radiograph into a GET, and another host would receive the
``Authorization`` header. A server that says ``Retry-After`` is waited for, for a bounded time.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from synnodtest.errors import DetectorError, DetectorHung

AUTHORIZATION_VARIABLE = "SYNNODTEST_HTTP_AUTHORIZATION"
"""Environment variable whose content is sent as the ``Authorization`` header."""
RETRIED = (429, 502, 503, 504)
"""Statuses of a fault that passes (RFC 9110 and 6585): too many requests, a gateway or service that is not ready; any
other is taken to last."""
REDIRECTS = (300, 301, 302, 303, 307, 308)
"""Statuses that point elsewhere (RFC 9110): all of 300 to 308 but 304 (not modified) and the withdrawn 305 and 306."""
ANSWERED = (200, 201, 203)
"""Statuses whose body is an answer; 202 (later) and 204 (nothing) are none."""
ATTEMPTS = 3
"""Without ``Retry-After``: a proxy that restarts is back after a second, a fault is not."""
MAX_WAIT_S = 120.0
"""All waits of a request together: loading a large model takes one or two minutes."""
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Also after decompression: 300 findings take 30 kB."""
_SAID_BYTES = 300
"""Characters of an answer that a message quotes; set by hand: room for a sentence, not for a page."""
_TOO_LARGE = "a radiograph has up to 20 MB: does the server take that (nginx: client_max_body_size)? Look into its log"

_FORM = "the radiograph is the file 'image' of a POST of multipart/form-data; docs/detectors.md shows it all"
_LOGIN = f"{AUTHORIZATION_VARIABLE} becomes the Authorization header"
_REMEDIES = {413: _TOO_LARGE, 400: _FORM, 415: _FORM, 422: _FORM, 401: _LOGIN, 403: _LOGIN}
"""Status -> what to do about it."""


@dataclass(frozen=True)
class Answer:
    """A server's answer: its decompressed body, and what it says that it is."""

    body: bytes
    kind: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to the caller, as errors."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Transport:
    """Sends requests to one URL.

    Args:
        url: ``http://`` or ``https://``.
        timeout_s: Seconds that may pass without a byte.
        pause_s: Before the second attempt; doubled before the third.
        authorization: Content of the ``Authorization`` header, or "".

    Raises:
        DetectorError: the header would go through a proxy in clear text.
    """

    def __init__(self, url: str, timeout_s: float, pause_s: float, authorization: str = "") -> None:
        self.url = url
        self.shown = shown_url(url)
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._authorization = authorization
        secret = {"Authorization": authorization} if authorization else {}
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", **secret}
        self._proxy = _proxy_of(url)
        self._answered = 0
        self._lock = threading.Lock()
        if self._proxy and authorization and urlsplit(url).scheme == "http":
            raise DetectorError(
                f"{self.shown}: the Authorization header would go to the proxy {shown_url(self._proxy)} in clear text",
                hint=f"add {urlsplit(url).hostname} to no_proxy, or use https",
            )
        proxies = {urlsplit(url).scheme: self._proxy} if self._proxy else {}
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler(proxies))

    def send(self, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a POST of ``body``, or to a GET.

        Raises:
            DetectorError: there is none that can be used; names the URL, what was seen and what to do.
        """
        waited, attempt = 0.0, 0
        while True:
            attempt += 1
            try:
                answer = self._once(body, headers or {})
                with self._lock:
                    self._answered += 1
                return answer
            except _RetryError as error:
                pause = self._pause(error, attempt, waited)
                time.sleep(pause)
                waited += pause

    def _pause(self, error: _RetryError, attempt: int, waited: float) -> float:
        """Return how long to wait before the next attempt.

        Raises:
            DetectorError: there is no next one.
        """
        if error.after_s is None:
            if attempt >= ATTEMPTS:
                raise error.final from error
            return self._pause_s * 2.0 ** (attempt - 1)
        pause = max(error.after_s, self._pause_s)
        limit = min(MAX_WAIT_S, self._timeout_s)
        if waited + pause > limit:
            raise DetectorError(
                f"{error.final.message} (asks to wait {error.after_s:.0f} s more, {waited:.0f} s were waited)",
                hint=f"a request waits {limit:g} s in all: start the run when the server is ready",
            ) from error
        return pause

    def _once(self, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        method = "GET" if body is None else "POST"
        request = urllib.request.Request(self.url, body, {**self._headers, **headers}, method=method)
        waits = "no answer within"
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                waits = "its answer stopped in the middle for"
                return self._read(response)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from error
        except TimeoutError as error:
            raise self._silent(f"{waits} {self._timeout_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(getattr(error, "reason", error)) from error

    def _read(self, response: Any) -> Answer:
        kind = response.headers.get("Content-Type", "")
        if response.status not in ANSWERED:
            raise DetectorError(
                f"{self.shown} answered {response.status} {response.reason}, which is no answer to a radiograph",
                hint="answer 200 with the findings; no finding is an empty list",
            )
        content: bytes = response.read(MAX_ANSWER_BYTES + 1)
        if response.length and len(content) <= MAX_ANSWER_BYTES:
            raise http.client.IncompleteRead(content, response.length)
        return Answer(_decoded(content, response.headers.get("Content-Encoding", ""), self.shown), kind)

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        """Return what a status of 300 and more means."""
        says = f"{self.shown} answered {error.code} {error.reason}"
        if error.code in REDIRECTS:
            target = shown_url(urljoin(self.url, error.headers.get("Location") or ""))
            where = f"points to {target}" if error.headers.get("Location") else "names no target"
            return DetectorError(
                f"{says} and {where}: no redirect is followed, for the radiograph and the Authorization header are "
                "meant for this address alone",
                hint=f"if that is the detector, name it: --detector {target}",
            )
        reason = self._without_secret(_text_of(error))
        proxy = f" (through the proxy {shown_url(self._proxy)})" if self._proxy else ""
        final = DetectorError(f"{says}{proxy}: {reason}", hint=self._remedy(error.code))
        return _RetryError(final, _retry_after(error.headers)) if error.code in RETRIED else final

    def _remedy(self, code: int) -> str:
        if code == 407 or (self._proxy and code in (403, 502, 503, 504)):
            host = urlsplit(self.url).hostname
            return f"the proxy comes from the environment: add {host} to no_proxy to leave it out"
        return _REMEDIES.get(code, "")

    def _without_secret(self, text: str) -> str:
        secrets = [self._authorization, *self._authorization.split()[1:]] if self._authorization else []
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    def _silent(self, what: str) -> DetectorHung:
        if self._answered:
            return DetectorHung(
                f"{self.shown}: {what}, after {self._answered} answers: it hangs", hint="look into the server's log"
            )
        return DetectorHung(
            f"{self.shown}: {what}; it took the connection and has answered nothing yet: it may still be starting",
            hint="wait until it is ready, let it answer 503 with Retry-After until then, or raise the time limit",
        )

    def _unreachable(self, reason: Any) -> Exception:
        if isinstance(reason, TimeoutError):
            return DetectorHung(f"{self.shown}: no connection within {self._timeout_s:g} s", hint=self._remedy(504))
        if isinstance(reason, ssl.SSLCertVerificationError):
            return DetectorError(
                f"{self.shown}: its certificate cannot be verified: {reason.verify_message}",
                hint="SSL_CERT_FILE names a file of the authorities that you trust",
            )
        through = f" through the proxy {shown_url(self._proxy)}" if self._proxy else ""
        hint = self._remedy(504) if self._proxy else "is the server running, and the port right?"
        if isinstance(reason, (BrokenPipeError, ConnectionResetError)):
            hint = _TOO_LARGE
        return _RetryError(DetectorError(f"{self.shown} cannot be reached{through}: {reason!r}", hint=hint), None)


class _RetryError(Exception):
    """A failure after which another attempt may succeed; ``final`` is raised if none is made."""

    def __init__(self, final: DetectorError, after_s: float | None) -> None:
        super().__init__(final.message)
        self.final = final
        self.after_s = after_s


def shown_url(url: str) -> str:
    """Return a URL without credentials, query and fragment, for messages and records."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2].lower(), query="", fragment="").geturl()


def _proxy_of(url: str) -> str:
    """Return the environment's proxy for a URL, or "": this machine itself is never asked for through one."""
    parts = urlsplit(url)
    if _is_loopback(parts.hostname or "") or urllib.request.proxy_bypass(parts.netloc):
        return ""
    return str(urllib.request.getproxies().get(parts.scheme, ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, as a number or as a date, or None."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers["Date"]) if headers.get("Date") else datetime.now(UTC)
        return max((until - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _decoded(content: bytes, encoding: str, shown: str) -> bytes:
    """Return the body as it was before compression.

    Raises:
        DetectorError: another compression, a damaged or cut off body, or one that is too large when it is unpacked.
    """
    name = encoding.strip().lower()
    if len(content) <= MAX_ANSWER_BYTES and name not in ("", "identity"):
        if name not in ("gzip", "x-gzip", "deflate"):
            raise DetectorError(f"{shown}: the answer is compressed as {name!r}", hint="send it plain, gzip or deflate")
        try:
            content = _inflated(content, name)
        except (zlib.error, EOFError) as error:
            raise DetectorError(f"{shown}: the answer is no whole {name}: {error}") from error
    if len(content) > MAX_ANSWER_BYTES:
        raise DetectorError(f"{shown}: the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return content


def _inflated(content: bytes, name: str) -> bytes:
    """Unpack at most one byte more than is allowed, whatever the packed size."""
    headed = content[:1] != b"" and content[0] & 0x0F == 8 and int.from_bytes(content[:2], "big") % 31 == 0  # RFC 1950
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS if name == "deflate" and not headed else zlib.MAX_WBITS | 32)
    inflated = unpacker.decompress(content, MAX_ANSWER_BYTES + 1)
    if len(inflated) <= MAX_ANSWER_BYTES and not unpacker.eof:
        raise EOFError("it ends in the middle")
    return inflated


def _text_of(error: urllib.error.HTTPError) -> str:
    """Return the beginning of an error's body, unpacked; the title alone of an HTML page."""
    try:
        content = error.read(64 * 1024)
        encoding = error.headers.get("Content-Encoding", "")
        content = _decoded(content, encoding, "") if encoding else content
    except (OSError, http.client.HTTPException, DetectorError):
        return "(no text)"
    return text_shown(content)


def text_shown(content: bytes) -> str:
    """Return the beginning of a body in one line; of an HTML page its title."""
    text = content.decode("utf-8", "replace")
    if title := re.search(r"<title>(.*?)</title>", text[:4096], re.IGNORECASE | re.DOTALL):
        return f"HTML page {title[1][:120].strip()!r}"
    return " ".join(text[:_SAID_BYTES].split())
