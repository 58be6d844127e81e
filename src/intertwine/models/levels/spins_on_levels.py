r"""A model of spins as a model of modes with several levels: log ψ(n) = log ψ_σ(σ(n)), see `encoding`.

All that the model of spins can do its model of levels can: steps of levels are flips of spins
(`LevelIncremental`), per-sample gradients are outer products (`Factored`), and the host kernels read its
`spin_form`.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.levels.level_spins import Encoding, encoding
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import parameters
from intertwine.models.protocols import Direct, Factored, Incremental, Kind, Outer, SpinForm, SpinFormed
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class OnLevels(eqx.Module):
    """log ψ of levels n (N,) from a model of the spins that stand for them; build it with `on_levels`.

    model: of `encoding.size` spins ±1. encoding: static.
    """

    model: Any
    encoding: Encoding = eqx.field(static=True)

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.encoding.modes

    @property
    def kind(self) -> Kind:
        return self.model.kind

    @property
    def evaluation_batch(self) -> int:
        """How many configurations are best evaluated at once."""
        return getattr(self.model, "evaluation_batch", 1 << 20)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration of levels (N,)."""
        if jnp.shape(s) != (self.size,):
            raise fail("s", f"one configuration of shape ({self.size},)", f"shape {jnp.shape(s)}", "vmap")
        return self.model(self.encoding.spins(s))


class FormedOnLevels(OnLevels):
    """`OnLevels` of a model with `start`, `log_ratio`, `flip`, `factors` and `spin_form`."""

    def start(self, s: Shaped[Array, "N"]) -> Any:
        """The cache of `s`: that of its spins."""
        return self.model.start(self.encoding.spins(s))

    def log_change(
        self, cache: PyTree, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) with `levels` on `modes`."""
        return self.model.log_ratio(cache, *self._flips(s, modes, levels))

    def change(
        self, cache: PyTree, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Any:
        """The cache of s'."""
        return self.model.flip(cache, *self._flips(s, modes, levels))

    def _flips(self, s: Array, modes: Array, levels: Array) -> tuple[Array, Array]:
        before = s.at[modes].get(mode="clip").astype(jnp.int32)
        return self.encoding.spins(s), self.encoding.flipped(before, modes, levels.astype(jnp.int32))

    def encoded_form(self) -> SpinForm:
        """The `SpinForm` of the spins that stand for the levels."""
        return self.model.spin_form()

    def factors(self, samples: Shaped[Array, "S N"]) -> FormedOnLevels:
        """∂ log ψ/∂λ of each sample, as those of the model of spins."""
        inner = self.model.factors(self.encoding.spins(samples))
        if isinstance(self.model, RBM):
            inner = _in_half(inner)
        return eqx.tree_at(lambda m: m.model, parameters(self), inner)


def _in_half(blocks: PyTree) -> Any:
    """The blocks of an RBM with its spins in single precision, which has ±1 and their sums over modes
    exactly: products of many columns in half the time."""
    leaves, made = jax.tree.flatten(blocks, is_leaf=lambda x: isinstance(x, Outer | Direct))
    spins = next(leaf.left for leaf in leaves if isinstance(leaf, Outer))
    half = spins.astype(jnp.float32)
    for k, leaf in enumerate(leaves):
        if isinstance(leaf, Outer):
            leaves[k] = Outer(half, leaf.right)
        elif leaf.values is spins:
            leaves[k] = Direct(half)
    return jax.tree.unflatten(made, leaves)


def on_levels(model: Any, space: HilbertSpace | Encoding) -> OnLevels:
    """`model`, one of the spins that stand for the levels of `space` (`encoding(space).size` of them), as a
    model of its configurations.

    Raises InputError for a model of another size.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> space = Bosons(4, 3)
    >>> psi = on_levels(RBM(encoding(space).size, hidden=8, key=jax.random.key(0)), space)
    >>> psi.size, psi(jnp.array([3, 0, 0, 0])).shape
    (4, ())
    """
    code = space if isinstance(space, Encoding) else encoding(space)
    if model.size != code.size:
        raise fail("model", f"one of {code.size} spins, as the levels need", f"one of {model.size}")
    full = isinstance(model, Incremental) and isinstance(model, Factored) and isinstance(model, SpinFormed)
    return (FormedOnLevels if full else OnLevels)(model, code)


def mode_permutations(model: OnLevels, spins: np.ndarray) -> np.ndarray:
    """The permutations of the modes that permutations of the spins of `model` are."""
    return model.encoding.as_modes(spins)
