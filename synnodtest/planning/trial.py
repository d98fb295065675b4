"""Former place of :mod:`synnodtest.evidence.trial`, kept for checks that import it from here."""

from synnodtest.evidence.trial import Evidence, NoduleTrial, Sighting, Trial, score_trial

__all__ = ["Evidence", "NoduleTrial", "Sighting", "Trial", "score_trial"]
