"""How likely data are under a machine: exact, pseudo-likelihood, bounds of deep machines."""
