"""Commands of ``synnodtest``; each module has ``configure(name, parser)``, which sets ``run`` on the parser.

``run(options)`` returns the exit status, or nothing where all is well.
"""
