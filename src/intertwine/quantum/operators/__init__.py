"""Operators: the algebra of spins, bosons and fermions, and Hamiltonians by name (`it.operators`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
