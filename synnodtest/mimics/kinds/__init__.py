"""The kinds of mimic, one file each; a module here that defines ``KIND`` is a kind."""
