"""Studies made with synnodtest, beside the package: they run from a checkout and are not in the wheel."""
