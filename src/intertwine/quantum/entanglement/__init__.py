"""Entanglement of wave functions: exact to 24 spins, sampled at any size (`it.entanglement`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
