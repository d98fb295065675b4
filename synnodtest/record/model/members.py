"""Types that several parts of the record share."""

from __future__ import annotations

from typing import Annotated, Literal

from synnodtest.decoding import Member

Text = Annotated[str, Member(null=True)]
"""A text; null is read as an empty one."""
Count = Annotated[int, Member(schema={"minimum": 0})]
Digest = Annotated[
    str, Member(schema={"pattern": "^([0-9a-f]{64})?$", "description": "Hex sha256, or empty where there is none."})
]
Box = Annotated[tuple[float, ...], Member(schema={"minItems": 4, "maxItems": 4})]
"""``x_min, y_min, x_max, y_max`` in pixels of the radiograph."""
RulingWord = Literal["PASSED", "FAILED", "INCONCLUSIVE", "INVALID"]
StatusWord = Literal["PASSED", "FAILED", "INCONCLUSIVE", "INVALID", "ERROR", "NOT RUN"]
