"""Checks: evidence -> ruling."""
