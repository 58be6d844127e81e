r"""The recurrent arithmetic circuit: one site after another, by products of what is new and what is known.

    h¹_t = (W¹_in x_t) ∘ (W¹ h¹_{t−1}),      h^l_t = (W^l_in h^{l−1}_t) ∘ (W^l h^l_{t−1}),      ψ(s) = v·h^L_N

with x_t = (1, 0) or (0, 1) for s_t = ±1, h_0 = (1, …, 1) and ∘ the product feature by feature (Levine,
Sharir, Cohen & Shashua, PRL 122, 065301 (2019)). One layer is a matrix product state of bond dimension r: a
cut costs ln r wherever it is. In a deeper one h¹_t is used twice, by h¹_{t+1} and by h²_t, and the unrolled
network has a chain of its own for each use: the cut between beginning and end grows with the length, as does
the rank.

W = e^λ and v = e^λ, as in a `ConvolutionalCircuit`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Num, Shaped

from intertwine import _checks
from intertwine.models.circuits.features import log_features, log_sum, of_spins, split, weights_of
from intertwine.models.circuits.unrolled import Unrolled
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.structure import Structure


class RecurrentCircuit(eqx.Module):
    r"""A recurrent arithmetic circuit of spins ±1, in the order of the sites.

    size: N. layers: L. rank: r, the features of every layer. dtype: complex or float (ψ > 0) or an exact
    floating type. scale: standard deviation of the initial λ.

    inputs[l]: λ of W_in, (r, 2) and then (r, r). passed: λ of W, (L, r, r). top: λ of v, (r,).
    Raises InputError for numbers that are not positive.

    >>> psi = RecurrentCircuit(8, layers=2, rank=4, key=jax.random.key(0))
    >>> [w.shape for w in psi.inputs], psi.passed.shape, psi(jnp.ones(8)).shape
    ([(4, 2), (4, 4)], (2, 4, 4), ())
    """

    inputs: tuple[Num[Array, "r d"], ...]
    passed: Num[Array, "L r r"]
    top: Num[Array, "r"]
    size: int = eqx.field(static=True)

    def __init__(
        self,
        size: int,
        layers: int,
        rank: int,
        *,
        dtype: DTypeLike = complex,
        scale: float = 0.1,
        key: Array,
    ):
        self.size = _checks.positive_int("size", size, "give the number of sites, for example lattice.size")
        layers, rank = _checks.positive_int("layers", layers), _checks.positive_int("rank", rank)
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        keys = jax.random.split(check_key(key), layers + 2)
        inner = [2] + [rank] * (layers - 1)
        self.inputs = tuple(normal(keys[k], (rank, d), kind, spread) for k, d in enumerate(inner))
        self.passed = normal(keys[layers], (layers, rank, rank), kind, spread)
        self.top = normal(keys[layers + 1], (rank,), kind, spread)

    @property
    def layers(self) -> int:
        """L."""
        return len(self.inputs)

    @property
    def rank(self) -> int:
        """r."""
        return self.top.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.top) else "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        inputs, passed = [weights_of(w) for w in self.inputs], weights_of(self.passed)
        real = real_dtype(self.top.dtype)

        def step(carry: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], None]:
            hidden, sizes = carry
            values, size, found = x, jnp.zeros((), real), []
            for layer, w in enumerate(inputs):
                together = (w @ values) * (passed[layer] @ hidden[layer])
                values, size = split(together, size + sizes[layer])
                found.append((values, size))
            return (jnp.stack([v for v, _ in found]), jnp.stack([n for _, n in found])), None

        start = jnp.ones((self.layers, self.rank), self.top.dtype), jnp.zeros(self.layers, real)
        (hidden, sizes), _ = jax.lax.scan(step, start, of_spins(s, self.top.dtype))
        return log_sum(self.top + log_features(hidden[-1])) + sizes[-1]

    def structure(self) -> Structure:
        """The unrolled tensor network: an index of r states for each use of a feature."""
        net = Unrolled(self.size)
        uses = [(net.index(self.rank, "the sum on top"), self.layers, self.size)]
        while uses:
            net.refuse_beyond(len(uses))
            later = []
            for index, layer, t in uses:
                if layer == 1:
                    net.link(index, t - 1)
                for of, before in ((layer, t - 1), (layer - 1, t)):
                    if of >= 1 and before >= 1:
                        child = net.index(self.rank, f"a use of features {before - 1} of layer {of}")
                        net.link(index, child)
                        later.append((child, of, before))
            uses = later
        return net.structure()
