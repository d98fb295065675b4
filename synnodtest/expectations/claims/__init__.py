"""The claims of searches, one file each; a module here that defines ``CLAIM`` is a claim."""
