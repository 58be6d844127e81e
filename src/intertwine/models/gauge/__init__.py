"""Lattice gauge theory: the Wilson action, loops, topological charge, exact values in two dimensions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
