"""Transfer: how far a detector's sensitivity to planted nodules tells its sensitivity to real ones."""
