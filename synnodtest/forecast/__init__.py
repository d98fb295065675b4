"""Forecast of a behaviour before anything runs: power, fewest backgrounds, units."""
