"""The kinds of expectation, one file each; a module here that defines ``KIND`` is a kind."""
