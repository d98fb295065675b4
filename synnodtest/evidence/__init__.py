"""Outcomes of scenes and the rulings on them: arms, trials, clusters, rulings."""
