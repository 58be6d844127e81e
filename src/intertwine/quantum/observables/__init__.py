"""Observables beyond a single operator: structure factors, strings and loops, fidelities, connected
correlators, extrapolations to zero variance (`it.observables`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
