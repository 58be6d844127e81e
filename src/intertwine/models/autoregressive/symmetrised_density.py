r"""An autoregressive state with the symmetry of its lattice, still normalised and still drawn exactly.

    |ψ(s)|² = (1/|G|) Σ_g |ψ₀(g s)|²,      arg ψ(s) = arg Σ_g χ(g) ψ₀(g s)

The mean of normalised distributions is one, and g⁻¹s with s drawn from |ψ₀|² and g drawn uniformly is a
sample of it (Hibat-Allah, Ganahl, Hayward, Melko & Carrasquilla, PRR 2, 023358 (2020)); the sum of
amplitudes, which `Symmetrised` takes, is neither. It costs |G| evaluations.
"""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, Num, Shaped

from intertwine._checks import fail, positive_int
from intertwine.models.autoregressive.base import AutoregressiveModel
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.protocols import Kind
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.symmetry.groups.permutation_group import PermutationGroup

_BATCH = 4096


class SymmetrisedDensity(eqx.Module):
    """`model`, an autoregressive state, with |ψ|² averaged over a group of its modes and the spin flip.

    group: a `PermutationGroup` of the modes, such as `lattice.translations`; None for the flip alone.
    spin_flip: None, or ±1 for ψ(−s) = ±ψ(s) (levels n → d − 1 − n); −1 makes ψ complex (a sign), and stands
    alone.

    Raises InputError where the space has not the symmetry (other numbers after it), and for fermions.

    >>> from intertwine.models.autoregressive.recurrent import RecurrentNetwork
    >>> from intertwine.spaces.lattices import Chain
    >>> ring = Chain(4)
    >>> psi = RecurrentNetwork(ring, layers=1, features=3, key=jax.random.key(0))
    >>> even = SymmetrisedDensity(psi, ring.translations, spin_flip=1)
    >>> s = jnp.array([1, 1, -1, 1])
    >>> bool(abs(even(s) - even(-jnp.roll(s, 1))) < 1e-5), even.kind
    (True, 'real')
    """

    model: AutoregressiveModel
    group: PermutationGroup = eqx.field(static=True)
    spin_flip: int | None = eqx.field(static=True)

    def __init__(
        self,
        model: AutoregressiveModel,
        group: PermutationGroup | None = None,
        *,
        spin_flip: int | None = None,
    ):
        if not isinstance(model, AutoregressiveModel):
            raise fail("model", "an autoregressive model", model, "Symmetrised takes any other")
        if spin_flip not in (None, 1, -1) or isinstance(spin_flip, bool):
            raise fail("spin_flip", "None, 1 or -1", spin_flip)
        group = PermutationGroup(np.arange(model.size)[None]) if group is None else group
        space = model.hilbert
        if group.size != model.size:
            raise fail("group", f"permutations of {model.size} modes", f"of {group.size}")
        if spin_flip == -1 and group.order > 1:
            expected = "None or 1 with a group"
            raise fail("spin_flip", expected, -1, "configurations that both leave alone have no sign then")
        if space.has_fermions and group.order > 1:
            raise fail("model", "modes that commute", repr(space), "Symmetrised knows no signs of fermions")
        for g in group.generators:
            if not _kept(space, np.asarray(group.permutations[g])):
                raise fail("group", "symmetries of the model's space", repr(space), "take other permutations")
        if spin_flip is not None and not _kept_by_flip(space):
            raise fail("spin_flip", "None for this space", spin_flip, f"a flip leads out of {space!r}")
        self.model, self.group, self.spin_flip = model, group, spin_flip

    @property
    def hilbert(self) -> HilbertSpace:
        """The Hilbert space that it is a state of."""
        return self.model.hilbert

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return "complex" if self.spin_flip == -1 else self.model.kind

    @property
    def permutations(self) -> np.ndarray:
        """The permutations (g, N) that leave |ψ|² as it is, without the flip."""
        return self.group.permutations

    @property
    def evaluation_batch(self) -> int:
        """Configurations that are best evaluated at once."""
        return max(1, _BATCH // self.group.order)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) as the space writes it."""
        check_configuration(s, self.size)
        moved = jnp.asarray(s)[jnp.asarray(self.group.permutations)]
        signs = np.ones(len(moved))
        if self.spin_flip is not None:
            moved = jnp.concatenate([moved, self._flipped(moved)])
            signs = np.concatenate([signs, self.spin_flip * signs])
        logs = jax.vmap(self.model)(moved)
        half = 0.5 * (jax.nn.logsumexp(2 * jnp.real(logs)) - math.log(len(signs)))
        if self.kind == "real":
            return half
        real = jnp.real(logs)
        size = jnp.exp(real - jax.lax.stop_gradient(real.max()))
        phase = jnp.imag(logs)
        weights = jnp.asarray(signs, size.dtype) * size
        return jax.lax.complex(
            half, jnp.arctan2(jnp.sum(weights * jnp.sin(phase)), jnp.sum(weights * jnp.cos(phase)))
        )

    def draw(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` independent configurations of |ψ|², int8 (count, N)."""
        positive_int("count", count)
        first, second, third = jax.random.split(key, 3)
        rows = self.model.draw(count, key=first)
        moves = jnp.asarray(self.group.permutations)[
            jax.random.randint(second, (count,), 0, self.group.order)
        ]
        rows = jnp.take_along_axis(rows, moves, axis=1)
        if self.spin_flip is None:
            return rows
        return jnp.where(jax.random.bernoulli(third, 0.5, (count, 1)), self._flipped(rows), rows)

    def _flipped(self, s: Array) -> Array:
        space = self.hilbert
        return -s if space.binary else (jnp.asarray(space.levels, s.dtype) - 1 - s).astype(s.dtype)


def _kept(space: HilbertSpace, permutation: np.ndarray) -> bool:
    """Whether the space is the same after the modes are moved."""
    levels = np.asarray(space.levels)
    if not np.array_equal(levels[permutation], levels):
        return False
    moved = {_written(bound, bound.low, bound.high, permutation) for bound in space.bounds}
    return moved == {_written(bound, bound.low, bound.high) for bound in space.bounds}


def _kept_by_flip(space: HilbertSpace) -> bool:
    """Whether n → d − 1 − n leads from the space to itself."""
    found = set()
    for bound in space.bounds:
        most = sum(w * (space.levels[mode] - 1) for mode, w in zip(bound.modes, bound.weights, strict=True))
        low, high = most - bound.high, most - bound.low
        if bound.modulus is not None:
            low, high = low % bound.modulus, high % bound.modulus
        found.add(_written(bound, low, high))
    return found == {_written(bound, bound.low, bound.high) for bound in space.bounds}


def _written(bound: Bound, low: int, high: int, permutation: np.ndarray | None = None) -> tuple:
    """What tells a bound from another."""
    modes = bound.modes if permutation is None else [int(permutation[mode]) for mode in bound.modes]
    return frozenset(zip(modes, bound.weights, strict=True)), low, high, bound.modulus
