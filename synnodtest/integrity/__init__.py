"""What a run is held against later: lock, ledger, manifest, signature, waivers, kept inputs."""
