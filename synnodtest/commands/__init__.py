"""Commands of ``synnodtest``; each module has ``configure(name, parser)``, which sets ``run`` on the parser."""
