"""Operators of spins, bosons and fermions, and what is done with them."""
