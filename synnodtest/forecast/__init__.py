"""What a behaviour costs and can show before anything runs: power, fewest backgrounds, units."""
