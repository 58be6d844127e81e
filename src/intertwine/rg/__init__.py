"""Renormalization: block spins, flows of couplings and exponents, and networks as renormalization steps.

>>> from intertwine import rg
>>> round(rg.migdal_kadanoff(b=2).y_T, 6)
0.747236
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
