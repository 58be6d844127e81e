"""Quantum circuits as wave functions of qubits: gates and layers, the circuit, presets, other formats."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
