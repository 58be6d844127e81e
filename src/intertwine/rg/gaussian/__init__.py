"""Exact renormalization of Gaussian fields as transport of probability."""
