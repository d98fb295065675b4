"""The report: a versioned record of a run, and everything that is drawn from that record alone.

::

    results.json  --->  view (one view-model)  --->  report.html      for people
    evidence/     --->  manifest.json (sha256 of everything, root digest)
                  --->  junit, SARIF, annotations, parquet             for machines

Nothing here needs a detector, a synthesizer or a radiograph at hand.
"""
