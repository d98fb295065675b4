"""Settings that a part of a pipeline was made with, as diffusers writes them beside the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Settings(dict[str, Any]):
    """A configuration whose entries are attributes too, as diffusers' are."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Return what stands in a file.

        Raises:
            OSError, ValueError: there is none, or it holds something else.
        """
        return cls(json.loads(path.read_text(encoding="utf-8")))
