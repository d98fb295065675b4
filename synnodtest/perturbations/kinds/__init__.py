"""The kinds of perturbation, one file each; a module here that defines ``KIND`` is a kind."""
