"""All sessions: each has a token that nobody can guess and a folder that goes with it."""

from __future__ import annotations

import secrets
import shutil
import threading
from pathlib import Path

from synnodtest.errors import SynnodError
from synnodtest.studio.bench import Bench
from synnodtest.studio.case import Catalogue
from synnodtest.studio.session import Session


class Sessions:
    """Sessions by token and by the tab that they belong to.

    Args:
        root: The private folder of all: uploads, stores and reports lie in it.
        bench: Models, shared.
        catalogue: What can be picked, shared.
    """

    def __init__(self, root: Path, bench: Bench, catalogue: Catalogue) -> None:
        self.root = root
        self.bench, self.catalogue = bench, catalogue
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._sessions: dict[str, Session] = {}

    def of_tab(self, tab: str) -> tuple[str, Session]:
        """Return token and session of a tab, new ones at its first call."""
        with self._lock:
            token = self._tokens.setdefault(tab, secrets.token_urlsafe(24))
            if token not in self._sessions:
                self._sessions[token] = Session(self.root / token, self.bench, self.catalogue)
            return token, self._sessions[token]

    def of_token(self, token: str) -> Session:
        """Return the session of a token.

        Raises:
            SynnodError: there is none.
        """
        with self._lock:
            session = self._sessions.get(token)
        if session is None:
            raise SynnodError("this session has ended", hint="load the page again")
        return session

    def close(self, tab: str) -> str:
        """End the session of a tab that was closed, stop what runs in it, and return its token."""
        with self._lock:
            token = self._tokens.pop(tab, "")
            session = self._sessions.pop(token, None)
        if session is not None:
            session.close()
        return token

    def close_all(self) -> None:
        """End all sessions and remove the private folder."""
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
            self._tokens.clear()
        for session in sessions:
            session.close()
        shutil.rmtree(self.root, ignore_errors=True)
