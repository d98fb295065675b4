"""Drawings as SVG. Matplotlib is imported by the function that draws."""
