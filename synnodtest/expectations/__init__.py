"""Expectations: evidence -> ruling; one file per kind under ``kinds/``, the claims of searches under ``claims/``."""

from synnodtest.evidence.ruling import Component, Ruling, Status
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.registry import check, find_check, kind_of, kinds, known_checks

__all__ = ["Component", "Kind", "Ruling", "Status", "check", "find_check", "kind_of", "kinds", "known_checks"]
