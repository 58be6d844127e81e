"""Wave functions in time: the variational principle, projected steps, and an account of their errors
(`certificate`). Functions are exported by `intertwine.quantum`; the modules are loaded when first used."""

import lazy_loader

_MODULES = ("certificate", "evolution", "integrator", "projected", "schemes", "tangent", "trajectory")

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=_MODULES)
