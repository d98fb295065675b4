"""Statuses as they are shown: word, colour, icon and meaning."""

from __future__ import annotations


class StatusLook:
    """Display of one status: word, colour on white, icon and meaning."""

    def __init__(self, word: str, colour: str, meaning: str) -> None:
        self.word = word
        self.colour = colour
        self.meaning = meaning
        self.key = word.lower().replace(" ", "-")


STATUSES: dict[str, StatusLook] = {
    look.word: look
    for look in (
        StatusLook("PASSED", "#0B6B3A", "the interval lies wholly on the required side of the bound"),
        StatusLook("FAILED", "#A80F2D", "the interval lies wholly on the wrong side of the bound"),
        StatusLook("INCONCLUSIVE", "#7A4F00", "the data settle neither; never a pass"),
        StatusLook("INVALID", "#00566B", "a precondition does not hold, so nothing is said of the detector"),
        StatusLook("ERROR", "#3A3F47", "the set-up or the detector's program broke; not a miss"),
        StatusLook("WAIVED", "#5B3A9E", "not passed, and accepted beforehand by a named approver until a date"),
        StatusLook("NOT RUN", "#555F6B", "planned and not carried out"),
    )
}
