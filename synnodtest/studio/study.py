"""The reader study served: the blinded page of ``synnodtest evaluate realism``, its answers kept beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from synnodtest.errors import SynnodError
from synnodtest.studio.parts import asset

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 1_000_000
"""Size of answers, in bytes: at some 50 for a row it holds 20,000, and a study shows some hundreds."""
HEADER = "reader,picture,rating"
_ROW = re.compile(r"[^,\"\n]{1,40},\d{1,5},[1-5]")


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
        from starlette.responses import HTMLResponse

        text = (self.folder / "readers.html").read_text(encoding="utf-8")
        return HTMLResponse(text.replace("</html>", f"<script>\n{asset('study.js')}</script></html>"))

    async def take(self, request: Request) -> Response:
        """Keep one reader's answers as ``answers-<reader>.csv``; a reader who answers again is kept beside it."""
        from starlette.responses import PlainTextResponse

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
        lines = body[: MOST_BYTES + 1].decode("utf-8", "replace").splitlines()
        rows = lines[1:]
        if len(body) > MOST_BYTES or not rows or lines[0] != HEADER or not all(map(_ROW.fullmatch, rows)):
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
