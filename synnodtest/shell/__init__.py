"""Settings, one run and its items: shared by pytest and the command line."""
