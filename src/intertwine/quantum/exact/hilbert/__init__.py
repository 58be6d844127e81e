"""Exact diagonalization of any Hilbert space: packed configurations, moves, symmetries, products."""
