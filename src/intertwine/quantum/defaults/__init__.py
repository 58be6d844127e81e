"""The defaults of a ground-state search, for the function and the command: `choose` asks the operator."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
