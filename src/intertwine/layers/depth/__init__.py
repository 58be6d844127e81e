"""Gaussian averages of activations, critical initialisations, and the pre-activations of any network."""
