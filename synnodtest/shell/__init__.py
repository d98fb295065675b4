"""What pytest and the command line share: settings, one run, its items."""
