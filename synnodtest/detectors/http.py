"""Detectors behind HTTP: ``--detector http://host/predict``, or ``dicom+http://host/predict`` to be sent DICOM.

Each radiograph is one POST of ``multipart/form-data``: the file ``image`` (PNG or DICOM, 16 bits) and the fields
``spacing_row_mm`` and ``spacing_column_mm``. The answer is JSON, see
:func:`synnodtest.detectors.exchange.findings_from_json`. An answer to ``GET`` on the same URL that is a JSON mapping
with ``name`` (and ``version``, ``sha256``) becomes the identity: it belongs into the cache key, since a server's model
can change behind an unchanged URL.

``http://host/predict#nodule`` names the class that is the nodule, for servers that report several.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import uuid
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from urllib.parse import quote, unquote, urldefrag, urlsplit

from synnodtest.canonical import sha256_of
from synnodtest.detectors.exchange import dicom16, findings_from_json, parsed, png16
from synnodtest.detectors.http_transport import AUTHORIZATION_VARIABLE, Answer, Transport, text_shown
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.detectors.registry import MASK, Options, register_detector
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

AT_ONCE = 4
"""Requests under way at once; set by hand: enough to hide the sending, few enough for a server with one model. Answers
keep their order."""
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]+", re.IGNORECASE)
_PROBE_S = 30.0
"""A server that loads its model at the first request may need this long to say who it is, and as long again where it
asks to wait; one that goes on and on is not listened to."""


class HttpDetector:
    """A detector behind a URL.

    Args:
        url: ``http://`` or ``https://``; what follows ``#`` names the classes that are nodules.
        timeout_s: Seconds that may pass without a byte of the answer.
        pause_s: Before the second attempt; doubled before the third.
        dicom: Send DICOM files instead of PNG.

    Attributes:
        may_change_unseen: Whether the server did not give a ``sha256`` for its identity.

    Raises:
        DetectorError: the URL has no host or holds credentials, or a proxy would see the ``Authorization`` header.
    """

    only_reads_pixels = True

    def __init__(self, url: str, *, timeout_s: float = 60.0, pause_s: float = 0.5, dicom: bool = False) -> None:
        url, fragment = urldefrag(url)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DetectorError(f"{url!r} is no URL of a detector", hint="http://host:port/path")
        if parts.username or parts.password:
            raise DetectorError(
                f"the URL of the detector on {parts.hostname} holds credentials, which would end in records",
                hint=f"put them into {AUTHORIZATION_VARIABLE}, as 'Basic ...' or 'Bearer ...'",
            )
        if MASK in parts.query:
            raise DetectorError(
                f"part of the query of {url!r} was masked in a record, as it may be a secret",
                hint="give the whole address with --detector",
            )
        if not url.isascii() or any(letter.isspace() for letter in url):
            quoted = quote(url, safe="/:?#[]@!$&'()*+,;=%~-._")
            raise DetectorError(f"the URL {url!r} holds a blank or a letter beyond ASCII", hint=f"write {quoted}")
        chosen = [name.strip() for name in unquote(fragment).split(",") if name.strip()]
        secret = os.environ.get(AUTHORIZATION_VARIABLE, "").strip()
        if not (secret.isascii() and (secret.isprintable() or not secret)):
            raise DetectorError(f"{AUTHORIZATION_VARIABLE} holds a line end or a letter beyond ASCII")
        self._transport = Transport(url, timeout_s, pause_s, secret)
        self._probe = Transport(url, min(timeout_s, _PROBE_S), pause_s, secret)
        self._dicom = dicom
        self._labels = LabelRule(chosen, f"--detector '{self._transport.shown}#NAME'")
        self._configuration = {
            "url": self._transport.shown,
            **({"query": sha256_of(parts.query)} if parts.query else {}),
            **({"sends": "dicom"} if dicom else {}),
            **({"classes": chosen} if chosen else {}),
        }
        told = self._told_identity()
        self._tells = told is not None
        self.identity = told or Identity(self._transport.shown, configuration=self._configuration)
        self.may_change_unseen = not _DIGEST.fullmatch(self.identity.sha256)  # "unknown" says nothing of weights

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Post the radiographs, four at a time; return their findings in order.

        Raises:
            DetectorError: the server cannot be reached, points elsewhere, hangs, gives no usable answer, or says that
                it is another than it was.
        """
        with ThreadPool(AT_ONCE) as pool:  # its threads do not keep Python from ending while a server hangs
            findings = list(pool.imap(self._detect_one, radiographs))
        self._refuse_replaced()
        return findings

    def _detect_one(self, radiograph: Radiograph) -> list[Finding]:
        body, kind = _multipart(radiograph, self._dicom)
        answer = self._transport.send(body, {"Content-Type": kind})
        content = parsed(answer.body, f"the answer of {self._transport.shown}{_form(answer)}")
        return findings_from_json(content, radiograph.spacing_mm, shape=radiograph.shape, labels=self._labels)

    def _refuse_replaced(self) -> None:
        """Refuse answers of another model than the one that they would be stored under, as after a new release."""
        now = self._told_identity() if self._tells else None
        if now is not None and now != self.identity:
            raise DetectorError(
                f"{self._transport.shown} was {_words(self.identity)} and is {_words(now)}: it was replaced while the "
                "run went on",
                hint="run again, once it stays as it is",
            )

    def _told_identity(self) -> Identity | None:
        """Return who the server says that it is; None where it does not."""
        try:
            with ThreadPool(1) as pool:
                answer = parsed(pool.apply_async(self._probe.send).get(2 * _PROBE_S).body, "identity")
        except (DetectorError, multiprocessing.TimeoutError):
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("name"), str):
            return None
        version, sha256 = (str(answer.get(key) or "") for key in ("version", "sha256"))
        return Identity(answer["name"], version, sha256, self._configuration)


def _words(identity: Identity) -> str:
    return " ".join(filter(None, [identity.name, identity.version, identity.sha256[:12]]))


def _form(answer: Answer) -> str:
    """Return what an answer that is no JSON may be, for the message."""
    if not answer.body.strip():
        return " is empty and"
    looks_html = answer.body.lstrip()[:1] == b"<" or "html" in answer.kind
    return f" ({text_shown(answer.body)}; Content-Type {answer.kind or 'missing'})" if looks_html else ""


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
@register_detector("dicom+http")
@register_detector("dicom+https")
def _http(argument: str, options: Options) -> HttpDetector:
    url = argument.removeprefix("dicom+")
    return HttpDetector(url, timeout_s=options.timeout_s, dicom=url != argument)
