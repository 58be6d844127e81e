"""intertwine: symmetric neural networks as distributions, as wave functions and as fields.

`__init__.pyi` is the table of contents: what a user may touch, by name. A name's module is imported when it
is first used, so that `import intertwine` costs little more than `import jax`. Every folder has such a list.

>>> import jax
>>> import intertwine as it
>>> lattice = it.Chain(8)
>>> hamiltonian = it.heisenberg(lattice)
>>> round(it.exact.ground_energy(hamiltonian), 6)
-14.604374
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
