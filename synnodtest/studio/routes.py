"""The studio's own routes: uploads, pixels, exports, reports, each under the token of its session; a reader study."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.studio import pictures
from synnodtest.studio.parts import asset
from synnodtest.studio.session import EXPORTS, Session
from synnodtest.studio.sessions import Sessions
from synnodtest.studio.spec_run import bundle

SIZES = {"native": None, "1024": 1024}
MOST_ANSWER_BYTES = 1_000_000
"""Size of answers, in bytes: at some 50 for a row it holds 20,000, and a study shows some hundreds."""
HEADER = "reader,picture,rating"
_ROW = re.compile(r"[^,\"\n]{1,40},\d{1,5},[1-5]")


def add_routes(app: Starlette, sessions: Sessions, study: Study | None) -> None:
    """Add the routes to an application; what one of them refuses is told with its remedy."""
    app.add_exception_handler(SynnodError, _refused)
    own = _Routes(sessions)
    add: Callable[..., None] = lambda path, what, method="GET": app.router.routes.append(  # noqa: E731
        Route(f"/studio/{{token}}/{path}", what, methods=[method])
    )
    add("upload", own.upload, "POST")
    add("paint", own.paint, "POST")
    add("pixels/{kind}", own.pixels)
    add("region/{name}", own.region)
    add("scene/{number:int}.png", own.scene)
    add("export", own.export)
    add("bundle/{name}", own.bundle)
    add("report/{path:path}", own.report)
    if study is not None:
        app.router.routes.append(Route("/study/", study.page))
        app.router.routes.append(Route("/study/answers", study.take, methods=["POST"]))


class _Routes:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def upload(self, request: Request) -> Response:
        """Take a file's bytes and open it; what was open before stays where it cannot be used."""
        session = self._session(request)
        session.folder.mkdir(parents=True, exist_ok=True)
        path = session.folder / f"upload-{secrets.token_hex(8)}"
        try:
            with path.open("wb") as file:
                async for chunk in request.stream():
                    file.write(chunk)
            name = request.query_params.get("name", "film")
            spacing = _spacing(request.query_params.get("mm", ""))
            case = await run_in_threadpool(session.open_file, path, name, spacing)
        except ClientDisconnect:
            return JSONResponse({"error": "the file is larger than is taken, or the upload was broken off"}, 413)
        finally:
            path.unlink(missing_ok=True)
        return JSONResponse({"file": case.file})

    async def paint(self, request: Request) -> Response:
        """Take brush strokes as a region of the case."""
        session = self._session(request)
        try:
            body = json.loads(await request.body())
            mask = pictures.painted(session.opened.radiograph.shape, list(body["strokes"]))
            case = await run_in_threadpool(session.paint, "air_leak", mask)
        except (ValueError, KeyError, TypeError):
            raise SynnodError("these are no brush strokes") from None
        return JSONResponse({"file": case.file})

    def pixels(self, request: Request) -> Response:
        """Return ``before``, ``after`` or ``difference`` with 16 bits."""
        body = _pixels_of(self._session(request), request.path_params["kind"])
        return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})

    def region(self, request: Request) -> Response:
        """Return the outline of a region."""
        regions = self._session(request).opened.radiograph.regions
        name = request.path_params["name"].removesuffix(".png")
        if name not in regions:
            raise SynnodError(f"this radiograph has no region {name!r}")
        return Response(pictures.outline_png(regions[name], name), media_type="image/png")

    def scene(self, request: Request) -> Response:
        """Return a small picture of one nodule of the exploration."""
        session, number = self._session(request), request.path_params["number"]
        exploration = session.exploration
        if exploration is None or not 0 <= number < len(exploration.scenes):
            raise SynnodError("there is no such scene")
        planted = exploration.scenes[number]
        picture = session.picture_of(planted)
        return Response(pictures.crop_png(picture, planted.scene.nodules[0].centre_mm), media_type="image/png")

    def export(self, request: Request) -> Response:
        """Return the result as a file."""
        session, query = self._session(request), request.query_params
        kind = query.get("kind", next(iter(EXPORTS)))
        size = SIZES.get(query.get("size", "native"))
        return _attached(session.export(kind, size=size, mark=query.get("mark") == "1"))

    def bundle(self, request: Request) -> Response:
        """Return a spec with its film as a zip."""
        session, name = self._session(request), request.path_params["name"].removesuffix(".zip")
        return _attached(bundle(session, session.text_of(name), f"{name}.yaml"))

    def report(self, request: Request) -> Response:
        """Return a file of the last run's report; nothing outside its folder."""
        root = (self._session(request).opened.folder / "reports").resolve()
        path = (root / request.path_params["path"]).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return _told(SynnodError("there is no such file in the report"), 404)
        return FileResponse(path)

    def _session(self, request: Request) -> Session:
        return self._sessions.of_token(request.path_params["token"])


def _spacing(text: str) -> tuple[float, float] | None:
    """Return the size of a pixel, ``(row, column)``, that was typed as one number or as ``x`` by ``y``."""
    if not text.strip():
        return None
    try:
        numbers = [float(part) for part in text.replace("x", " ").replace(";", " ").split()]
        x, y = numbers * 2 if len(numbers) == 1 else numbers
    except ValueError:
        raise BackgroundError(f"{text!r} is not a size in mm", hint="such as 0.168, or 0.168 x 0.168") from None
    if not (0 < x < 100 and 0 < y < 100):
        raise BackgroundError(f"a pixel of {text} mm is not possible", hint="such as 0.168")
    return y, x


def _pixels_of(session: Session, kind: str) -> bytes:
    result = session.result
    if kind == "before":
        return pictures.sixteen_bits(session.opened.radiograph.pixels)
    if result is None or kind not in ("after", "difference"):
        raise SynnodError("there is no such picture yet")
    return pictures.sixteen_bits(result.after.pixels, result.before.pixels if kind == "difference" else None)


def _attached(path: Path) -> Response:
    return FileResponse(path, filename=path.name, headers={"cache-control": "no-store"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, SynnodError)
    return _told(error)


def _told(error: SynnodError, status: int = 422) -> Response:
    return JSONResponse({"error": error.message, "hint": error.hint}, status)


class Study:
    """One study.

    Args:
        folder: Where ``synnodtest evaluate realism --out`` wrote it.

    Raises:
        SynnodError: the folder holds no page.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "readers.html").is_file():
            raise SynnodError(
                f"{folder}: no readers.html here", hint=f"synnodtest evaluate realism ... --out {folder} writes it"
            )

    async def page(self, request: Request) -> Response:
        """Return the page; its answers come back here as well as into the reader's own download."""
        text = (self.folder / "readers.html").read_text(encoding="utf-8")
        return HTMLResponse(text.replace("</html>", f"<script>\n{asset('study.js')}</script></html>"))

    async def take(self, request: Request) -> Response:
        """Keep one reader's answers as ``answers-<reader>.csv``; a reader who answers again is kept beside it."""
        body = await request.body()
        try:
            path = self.keep(body)
        except SynnodError as error:
            return PlainTextResponse(str(error), 422)
        return PlainTextResponse(f"Kept as {path.name}.")

    def keep(self, body: bytes) -> Path:
        """Write answers and return their file.

        Raises:
            SynnodError: they are none.
        """
        lines = body[: MOST_ANSWER_BYTES + 1].decode("utf-8", "replace").splitlines()
        rows = lines[1:]
        if len(body) > MOST_ANSWER_BYTES or not rows or lines[0] != HEADER or not all(map(_ROW.fullmatch, rows)):
            raise SynnodError("these are no answers of the page", hint=f"rows of {HEADER}")
        readers = {row.split(",")[0] for row in rows}
        if len(readers) != 1:
            raise SynnodError("answers of several readers at once", hint="one reader at a time")
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", readers.pop()).strip("-") or "reader"
        number = 1
        while True:
            path = self.folder / (f"answers-{name}.csv" if number == 1 else f"answers-{name}-{number}.csv")
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
                return path
            except FileExistsError:
                number += 1
