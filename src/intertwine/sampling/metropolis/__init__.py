"""Metropolis sampling of any model by local moves."""
