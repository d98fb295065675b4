"""The studio: a page on which one plants nodules by hand, sees what detectors say, and takes a spec out of it.

``session`` and what it stands on know nothing of a page and are tested without one; ``page`` and ``routes`` are the
shell around them.
"""
