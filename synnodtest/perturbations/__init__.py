"""Changes of a whole radiograph after synthesis, with regions and truth carried along.

============== ======================= ==============================================================
kind           value                   effect
============== ======================= ==============================================================
``flip``       true, ``horizontal``,   mirror; a horizontal one renames ``left_*`` and ``right_*`` regions
               ``vertical``
``shift_px``   ``[x, y]``              to the right and down, in pixels
``rotate_deg`` -180 to 180             about the centre, counter-clockwise as seen, rigid in mm
``scale``      above 0 to 10           zoom about the centre; shape and spacing stay, so nodules grow
``gamma``      above 0 to 10           pixels to this power
``brightness`` -1 to 1                 added to every pixel
``contrast``   above 0 to 10           factor on the distance of every pixel from the mean
``noise``      0 to 1                  standard deviation of added Gaussian noise, seeded by the scene
``blur``       0 to 100                standard deviation of a Gaussian blur, in pixels
``jpeg``       1 to 100                written as an 8-bit JPEG of this quality and read again
``downsample`` 1 to 64                 averaged down by this factor and interpolated up again
``dose``       0.02 to 1               quantum noise as at this exposure relative to the film's
``scatter``    0 to 5                  scattered radiation added, over the exposure around each pixel
``focus``      0 to 10                 unsharpness of the focal spot: full width at half maximum in mm
``processing`` a vendor-like look      ``wide-latitude``, ``high-contrast``, ``edge-enhanced``, ``multi-scale``
``collimation`` 0 to 200               mm on each side under a black shutter; regions and truth are cut
``marker``     ``L``, ``R``, ``AP``,   burnt in, white
               ``PORTABLE``,
               ``SUPINE``
============== ======================= ==============================================================

Pixels stay within 0..1; what enters from outside the radiograph is 0 (air).
"""

from synnodtest.perturbations.apply import check_perturbation, is_neutral, map_point, perturb
from synnodtest.perturbations.registry import perturbation_kinds

__all__ = ["check_perturbation", "is_neutral", "map_point", "perturb", "perturbation_kinds"]
