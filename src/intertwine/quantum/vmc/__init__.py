"""Variational Monte Carlo: energies, expectation values, ground and excited states."""
