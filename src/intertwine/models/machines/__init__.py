"""Boltzmann machines: restricted, deep and belief networks, and their units."""
