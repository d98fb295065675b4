"""The pytest shell of synnodtest."""
