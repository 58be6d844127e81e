"""Log-likelihoods of data under a machine: exact, pseudo-likelihood, bounds of deep machines."""
