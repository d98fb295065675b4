"""Detectors behind HTTP: ``--detector http://host/predict``, or ``dicom+http://host/predict`` to be sent DICOM.

Each radiograph is one POST of ``multipart/form-data``: the file ``image`` (PNG or DICOM, 16 bits) and the fields
``spacing_row_mm`` and ``spacing_column_mm``. The answer is JSON, see
:func:`synnodtest.detectors.exchange.findings_from_json`. An answer to ``GET`` on the same URL that is a JSON mapping
with ``name`` (and ``version``, ``sha256``) becomes the identity: it belongs into the cache key, since a server's model
can change behind an unchanged URL.
"""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

from synnodtest.detectors.exchange import dicom16, findings_from_json, parsed, png16
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

__all__ = ["AUTHORIZATION_VARIABLE", "HttpDetector"]

AUTHORIZATION_VARIABLE = "SYNNODTEST_HTTP_AUTHORIZATION"
"""Environment variable whose content is sent as the ``Authorization`` header."""
RETRIED = (429, 502, 503, 504)
ATTEMPTS = 3
AT_ONCE = 4
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_PROBE_S = 5.0


class HttpDetector:
    """A detector behind a URL.

    Args:
        url: ``http://`` or ``https://``.
        timeout_s: Seconds that one request may take.
        pause_s: Before the second attempt; doubled before the third.
        dicom: Send DICOM files instead of PNG.
    """

    def __init__(self, url: str, *, timeout_s: float = 60.0, pause_s: float = 0.5, dicom: bool = False) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DetectorError(f"{url!r} is no URL of a detector", hint="http://host:port/path")
        self._url = url
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._dicom = dicom
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._shown = urlunsplit((parts.scheme, host, parts.path, "", ""))
        self._identity = self._asked_identity()

    @property
    def identity(self) -> Identity:
        """What the server says it is, else the URL without credentials and query."""
        return self._identity

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Post the radiographs, four at a time; return their findings in order."""
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            return list(pool.map(self._detect_one, radiographs))

    def _detect_one(self, radiograph: Radiograph) -> list[Finding]:
        body, kind = _multipart(radiograph, self._dicom)
        answer = self._sent(
            urllib.request.Request(self._url, body, {"Content-Type": kind, **_headers()}, method="POST")
        )
        return findings_from_json(parsed(answer, f"the answer of {self._shown}"), radiograph.spacing_mm)

    def _sent(self, request: urllib.request.Request) -> bytes:
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                return _answer(request, self._timeout_s)
            except urllib.error.HTTPError as error:
                with error:
                    said = error.read(200).decode("utf-8", "replace").strip()
                if error.code not in RETRIED or last:
                    hint = (
                        f"{AUTHORIZATION_VARIABLE} becomes the Authorization header" if error.code in (401, 403) else ""
                    )
                    raise DetectorError(
                        f"{self._shown} answered {error.code} {error.reason}: {said}", hint=hint
                    ) from error
            except TimeoutError as error:
                raise DetectorError(f"{self._shown}: no answer within {self._timeout_s:g} s") from error
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if isinstance(reason, TimeoutError):
                    raise DetectorError(f"{self._shown}: no answer within {self._timeout_s:g} s") from error
                if last:
                    raise DetectorError(f"{self._shown} cannot be reached: {reason!r}") from error
            time.sleep(self._pause_s * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _asked_identity(self) -> Identity:
        configuration = {"url": self._shown, **({"sends": "dicom"} if self._dicom else {})}
        try:
            request = urllib.request.Request(self._url, headers={"Accept": "application/json", **_headers()})
            said = parsed(_answer(request, min(self._timeout_s, _PROBE_S)), "identity")
        except (OSError, http.client.HTTPException, DetectorError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("name"), str):
            return Identity(self._shown, configuration=configuration)
        return Identity(said["name"], str(said.get("version", "")), str(said.get("sha256", "")), configuration)


def _answer(request: urllib.request.Request, timeout_s: float) -> bytes:
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        content: bytes = response.read(MAX_ANSWER_BYTES + 1)
        if response.length and len(content) <= MAX_ANSWER_BYTES:
            raise http.client.IncompleteRead(content, response.length)
    if len(content) > MAX_ANSWER_BYTES:
        raise DetectorError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return content


def _headers() -> dict[str, str]:
    secret = os.environ.get(AUTHORIZATION_VARIABLE)
    return {"Authorization": secret} if secret else {}


def _multipart(radiograph: Radiograph, dicom: bool) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    row, column = radiograph.spacing_mm
    parts = [
        _part(boundary, f'name="{name}"', f"{value!r}".encode())
        for name, value in (("spacing_row_mm", float(row)), ("spacing_column_mm", float(column)))
    ]
    suffix, kind = ("dcm", "application/dicom") if dicom else ("png", "image/png")
    image = f'name="image"; filename="radiograph.{suffix}"\r\nContent-Type: {kind}'
    parts.append(_part(boundary, image, dicom16(radiograph) if dicom else png16(radiograph)))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, content: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


@register_detector("http")
@register_detector("https")
def _http(argument: str, options: Options) -> HttpDetector:
    return HttpDetector(argument, timeout_s=options.timeout_s)


@register_detector("dicom+http")
@register_detector("dicom+https")
def _dicom_http(argument: str, options: Options) -> HttpDetector:
    return HttpDetector(argument.removeprefix("dicom+"), timeout_s=options.timeout_s, dicom=True)
