"""Energies of circuits by their state vectors, their gradients and the geometry of their parameters."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
