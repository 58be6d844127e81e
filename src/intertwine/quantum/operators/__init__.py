"""Hamiltonians and other operators."""
