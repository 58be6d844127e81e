"""Monte Carlo renormalization and the couplings of sampled configurations."""
