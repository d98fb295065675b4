"""Integrity of a run, for later: lock, ledger, manifest, signature, waivers, kept inputs."""
