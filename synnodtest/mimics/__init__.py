"""Mimics: looks of a nodule that are none, drawn into a radiograph: anatomy, calcifications, devices.

======================= ===============================================================================
kind                    what is drawn
======================= ===============================================================================
``nipple``              soft tissue in air, sharp on the outer side, fading on the inner one
``ecg-electrode``       snap, ring and gel pad of an electrode, and its lead to the border
``line``                central venous catheter: a tube with a dense wall, from the border to its tip
``clip``                surgical clip: two closed legs of steel
``rib-crossing``        two ribs that cross; the mask is where they overlap
``vessel-end-on``       a vessel along the beam, with its bronchus beside it
``bone-island``         compact bone within a rib, with a brush border
``calcified-granuloma`` a dense small ball, denser in its middle
======================= ===============================================================================

Each is made of parts with a thickness along the beam and an attenuation per mm. What they stop of the primary beam is
taken from the exposure of the radiograph (:mod:`synnodtest.attenuation.beam`), blurred by the detector, and shown
through its own curve: exact on phantoms, estimated on films. Masks are those of the drawn parts.
"""

from synnodtest.mimics.draw import mimic_mask, with_mimics
from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.registry import mimic_kind, mimic_kinds

__all__ = ["MimicKind", "Setting", "mimic_kind", "mimic_kinds", "mimic_mask", "with_mimics"]
