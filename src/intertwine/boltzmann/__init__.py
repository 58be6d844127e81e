"""Boltzmann machines as distributions: training, log Z and likelihoods, deep machines, representability."""
