"""Further file formats of radiographs, one file each; a module here that defines ``FORMAT`` is read like the others."""
