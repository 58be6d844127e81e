"""Stabiliser states: entropies by ranks over GF(2) at any size, and machines that are such states exactly."""
