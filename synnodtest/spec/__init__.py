"""The spec language: YAML -> :class:`Spec`, with every error of a file at once."""

from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import Behaviour, Spec
from synnodtest.spec.plain import resolved
from synnodtest.spec.recognise import is_spec
from synnodtest.spec.validation import schema

__all__ = ["Behaviour", "Spec", "is_spec", "load_spec", "resolved", "schema"]
