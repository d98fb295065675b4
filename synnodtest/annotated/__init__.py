"""Radiographs with annotated nodules, from phantoms, synthesizers and data sets."""
