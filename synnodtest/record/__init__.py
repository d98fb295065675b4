"""The record of a run, ``results.json``: building, writing, reading, comparing."""
