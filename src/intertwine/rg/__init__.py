"""Renormalization: block spins, flows of couplings and exponents, and networks as renormalization steps."""
