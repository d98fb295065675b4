"""Former place of :mod:`synnodtest.evidence.trial`, kept for checks that import it from here."""

from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, score_trial

__all__ = ["Evidence", "NoduleTrial", "Sighting", "Trial", "score_trial"]
