r"""A machine at another temperature: e^{−E/T}, a machine of the same kind with its parameters divided by T.

    T < 1  samples are nearer the modes, more probable and less various;      T > 1  the other way round

It is the energy E(v, h) of visible and hidden units together that is divided (as in Russ et al., Science 369,
440 (2020) for designed proteins): p_T(v) = Σ_h e^{−E/T}/Z_T is not p(v)^{1/T}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax

from intertwine._checks import fail, positive_number
from intertwine.models.machines.layered import layered
from intertwine.models.results import as_model

if TYPE_CHECKING:
    from intertwine.models.machines.machine import Machine


def at_temperature(model: Machine, temperature: float) -> Any:
    """The RBM or DBM with energies E/temperature.

    Raises InputError for continuous units, whose base energies no parameter divides, and for models that are
    no machines of layers.

    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM(4, hidden=3, units="binary", key=jax.random.key(0))
    >>> cold = at_temperature(rbm, 0.5)
    >>> bool((cold.weights == 2 * rbm.weights).all())
    True
    """
    model = as_model(model)
    value = positive_number("temperature", temperature, "1 is the machine itself")
    if not all(layer.is_discrete for layer in layered(model).layers):
        kinds = [layer.spec for layer in layered(model).layers]
        raise fail("model", "units with finitely many values, at another temperature", kinds)
    return jax.tree.map(lambda x: x / value if eqx.is_inexact_array(x) else x, model)
