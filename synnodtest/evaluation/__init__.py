"""Measuring a detector or a synthesizer."""
