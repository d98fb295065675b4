"""The studio's server: bound to this machine, private folder, everything gone at exit."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import inspect
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synnodtest.errors import SynnodError, require
from synnodtest.studio.bench import Bench
from synnodtest.studio.case import Catalogue
from synnodtest.studio.sessions import Sessions

MOST_BYTES = 256 * 2**20
"""Limit of an upload: a radiograph of 8192 x 8192 pixels and 16 bits has half as much."""
ADDRESS = "127.0.0.1"
LONGEST_STEP_S = 10.0
"""The end waits so long for a model's call that is under way: what it writes must go too."""
NAP_S = 0.02
"""Gradio's queue looks so often for something to do; left alone every millisecond, which takes a tenth of a core all
day. Nobody sees a click answered this much later."""
FONTS = ["system-ui", "sans-serif"]
"""The machine's own: none is fetched."""


class Studio:
    """The application and all that goes with it; ``close`` leaves nothing behind.

    Args:
        bench: Detectors, of which the first two are shown side by side, and synthesizers.
        port: Where it will be served, for the guard.
        backgrounds: Folder of films, or None.
        study: Folder of a reader study, or None.
        most_bytes: Limit of an upload.

    Raises:
        SynnodError: Gradio is not installed, or a folder holds nothing usable.
    """

    def __init__(
        self,
        bench: Bench,
        port: int,
        *,
        backgrounds: Path | None = None,
        study: Path | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="synnodtest-studio-"))  # which only this user can enter
        try:
            gradio = _gradio(self.root)
            self.bench = bench
            self.sessions = Sessions(self.root, bench, Catalogue(backgrounds, self.root / "phantoms"))
            self.loaded = threading.Event()
            self.app = self._application(gradio, port, study, most_bytes)
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise

    def _application(self, gradio: Any, port: int, study: Path | None, most_bytes: int) -> Any:
        from fastapi import FastAPI

        from synnodtest.studio.guard import Guard, hosts_of
        from synnodtest.studio.page import build_page
        from synnodtest.studio.parts import asset
        from synnodtest.studio.routes import Study, add_routes
        from synnodtest.studio.tabs.desk import Desk

        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        add_routes(app, self.sessions, Study(study) if study is not None else None)
        desk = Desk(gradio, self.sessions, self.loaded.is_set, most_bytes)
        page = build_page(desk, study=study is not None)
        gradio.mount_gradio_app(
            app,
            page,
            path="/",
            theme=_theme(gradio),
            css=asset("page.css"),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            show_error=False,
            max_file_size=most_bytes,
        )
        page._queue.sleep_when_free = page._queue.progress_update_sleep_when_free = NAP_S
        return Guard(app, hosts_of(port), most_bytes)

    def preload(self) -> threading.Thread:
        """Load the models beside what the page does."""

        def load() -> None:
            self.bench.preload()
            self.loaded.set()

        thread = threading.Thread(target=load, name="studio models", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """End all sessions and remove everything from disk."""
        self.sessions.close_all()
        with self.bench.idle(LONGEST_STEP_S):
            shutil.rmtree(self.root, ignore_errors=True)


def _theme(gradio: Any) -> Any:
    """Return Gradio's theme, light in browsers set to dark too: the page's own colours are made for a light ground."""
    theme = gradio.themes.Default(font=FONTS, font_mono=["ui-monospace", "monospace"])
    values = vars(theme)
    values.update({name: values[name.removesuffix("_dark")] for name in values if name.endswith("_dark")})
    return theme


def _gradio(root: Path) -> Any:
    """Return the package, told beforehand: no analytics, and its temporary files in the private folder."""
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=str(root / "gradio"), HF_HUB_OFFLINE="1")
    require("gradio", "studio", "the studio")
    with _no_stub_files():
        import gradio

    version = tuple(int(part) for part in gradio.__version__.split(".")[:2])
    if not (6, 31) <= version < (7, 0):
        raise SynnodError(
            f"the studio needs gradio 6.31 or a later 6, not {gradio.__version__}: earlier ones hand out files",
            hint="pip install 'synnodtest[studio]'",
        )
    return gradio


@contextlib.contextmanager
def _no_stub_files() -> Iterator[None]:
    """Spare the import of Gradio the stub files for editors, which take it nearly half of its time.

    It makes none for a class without a file.
    """
    file_of = inspect.getfile

    def none_of_gradio(object: Any) -> str:
        if getattr(object, "__module__", "").startswith("gradio."):
            raise FileNotFoundError
        return file_of(object)

    inspect.getfile = none_of_gradio
    try:
        yield
    finally:
        inspect.getfile = file_of


def free_port(wanted: int) -> int:
    """Return the port if it is free; for 0 any free one.

    Raises:
        SynnodError: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, wanted))
        except (OSError, OverflowError):
            raise SynnodError(f"port {wanted} is taken or none", hint="--port 0 takes any free one") from None
        return int(probe.getsockname()[1])


def serve(bench: Bench, *, port: int, browser: bool, **wanted: Any) -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP; print the address once it answers. ``wanted`` is of :class:`Studio`."""
    import uvicorn

    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    studio = Studio(bench, chosen := free_port(port), **wanted)
    atexit.register(studio.close)
    _keep_temporary_files_in(studio.root / "tmp")

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            threading.Thread(target=studio.sessions.close_all, daemon=True).start()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(studio.app, host=ADDRESS, port=chosen, log_level="warning", timeout_graceful_shutdown=2)
    server = Server(config)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: server.handle_exit(signal.SIGTERM, None))
    threading.Thread(target=_announce, args=(server, chosen, browser), daemon=True).start()
    studio.preload()
    try:
        with contextlib.suppress(KeyboardInterrupt):  # the way out that the address's line names
            server.run()
    finally:
        studio.close()
    return 0


def _is_news(line: logging.LogRecord) -> bool:
    """Say whether a line of the server's log is worth a line: that the end breaks off open connections is not."""
    broken_off = line.exc_info is not None and isinstance(line.exc_info[1], asyncio.CancelledError)
    return not broken_off and "timeout graceful shutdown" not in line.getMessage()


def _keep_temporary_files_in(folder: Path) -> None:
    """Have whatever this process and its children put into temporary files lie in the private folder."""
    folder.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _announce(server: Any, port: int, browser: bool) -> None:
    import time

    while not server.started:
        time.sleep(0.05)
    address = f"http://{ADDRESS}:{port}/"
    print(f"synnodtest studio: {address}  (Ctrl-C ends it and removes all that was uploaded)", flush=True)
    if browser:
        webbrowser.open(address)
