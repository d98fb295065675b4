"""Limits that several kinds of expectation share."""

__all__ = ["LEAST_CLUSTERS", "LEAST_LEVELS", "REFERENCE_AT_LEAST"]

LEAST_CLUSTERS = 15
"""Fewest backgrounds on which a bootstrap decides: below, its coverage is not within a few percent of the nominal."""
LEAST_LEVELS = 5
"""Fewest levels of a sweep over which a curve can be told to rise."""
REFERENCE_AT_LEAST = 0.2
"""Least sensitivity that a detector or a reference must show: two silent arms prove nothing."""
