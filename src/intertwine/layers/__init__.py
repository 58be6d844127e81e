"""Layers: equivariant maps between fields, typed by representations; networks of them and their law."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
