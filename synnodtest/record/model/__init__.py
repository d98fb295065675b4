"""The record as dataclasses: read once, written once; its schema is made from them."""

from synnodtest.record.model.compared import Comparison
from synnodtest.record.model.judged import BehaviourEntry, ComponentEntry, ExpectationEntry, RulingEntry
from synnodtest.record.model.record import Record
from synnodtest.record.model.scenes import FindingEntry, NoduleEntry, PictureEntry, SceneEntry

__all__ = [
    "BehaviourEntry",
    "Comparison",
    "ComponentEntry",
    "ExpectationEntry",
    "FindingEntry",
    "NoduleEntry",
    "PictureEntry",
    "Record",
    "RulingEntry",
    "SceneEntry",
]
