"""Layers on lattice gauge fields besides `Conv`: loops as inputs, products, activations, traces."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
