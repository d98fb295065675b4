"""What came of the scenes, and what was ruled on it: arms, trials, clusters, rulings."""
