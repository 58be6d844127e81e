r"""The Jastrow state of occupation numbers: a coupling for every two modes, and a function of each level.

    log ψ(n) = Σ_{i<j} v_ij (n_i − c_i)(n_j − c_j) + Σ_i f_i(n_i),      c_i = (d_i − 1)/2

(Jastrow 1955; for lattice bosons Capello et al., Phys. Rev. Lett. 99, 056402 (2007)). The f_i alone are the
product state of Gutzwiller (Rokhsar & Kotliar, Phys. Rev. B 44, 10328, 1991). f_i is kept as its steps along
the spins of `encoding`, f_i(n) = Σ_v a_iv σ_iv.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine.models.levels.level_spins import Encoding, encoding
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, SpinForm
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class LevelJastrow(eqx.Module):
    """A Jastrow state of modes with several levels.

    space: the Hilbert space, or an `Encoding`. dtype: float, complex or an exact floating type. scale:
    standard deviation of the initial parameters, by default 0.1/√E with E spins.

    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> psi = LevelJastrow(Bosons(4, 3), key=jax.random.key(0))
    >>> psi.couplings.shape, psi.field.shape
    ((6,), (12,))
    """

    couplings: Num[Array, "pairs"]
    field: Num[Array, "E"]
    encoding: Encoding = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace | Encoding,
        *,
        dtype: DTypeLike = float,
        scale: float | None = None,
        key: Array,
    ):
        self.encoding = space if isinstance(space, Encoding) else encoding(space)
        kind, keys = parameter_dtype(dtype), jax.random.split(check_key(key))
        n, spins = self.encoding.modes, self.encoding.size
        spread = 0.1 / spins**0.5 if scale is None else check_scale(scale)
        self.couplings = normal(keys[0], (n * (n - 1) // 2,), kind, spread)
        self.field = normal(keys[1], (spins,), kind, spread)

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.encoding.modes

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.couplings) else "real"

    def coupling_matrix(self) -> Num[Array, "N N"]:
        """v, symmetric with zero diagonal."""
        upper = jnp.zeros((self.size, self.size), self.couplings.dtype)
        upper = upper.at[np.triu_indices(self.size, 1)].set(self.couplings)
        return upper + upper.T

    def _centred(self, s: Shaped[Array, "... N"]) -> Num[Array, "... N"]:
        half = (np.array(self.encoding.levels) - 1) / 2
        return s.astype(real_dtype(self.couplings.dtype)) - half

    def _steps(self) -> Num[Array, "N d"]:
        """f_i(n) of all levels, (N, d) with d the largest number of them."""
        code, most = self.encoding, max(self.encoding.levels)
        levels = jnp.minimum(np.arange(most), np.array(code.levels)[:, None] - 1)
        signs = jnp.where(levels[code.mode] <= code.step[:, None], 1, -1)
        terms = self.field[:, None] * signs
        return jnp.zeros((self.size, most), terms.dtype).at[code.mode].add(terms)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration of levels (N,)."""
        n = self._centred(s)
        own = self._steps()[np.arange(self.size), s.astype(jnp.int32)]
        return 0.5 * n @ (self.coupling_matrix() @ n) + jnp.sum(own)

    # LevelIncremental

    def start(self, s: Shaped[Array, "N"]) -> Num[Array, "N"]:
        """Σ_j v_ij (n_j − c_j) of every mode."""
        return self.coupling_matrix() @ self._centred(s)

    def log_change(
        self, cache: Num[Array, "N"], s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) with `levels` on `modes`: O(F²)."""
        inside, at, change = self._changes(s, modes, levels)
        steps, before = self._steps()[at], s[at].astype(jnp.int32)
        after = jnp.where(inside, levels.astype(jnp.int32), before)
        rows = np.arange(len(at))
        own = steps[rows, after] - steps[rows, before]
        pairs = self.coupling_matrix()[at][:, at]
        return jnp.sum(own) + change @ cache[at] + 0.5 * change @ (pairs @ change)

    def change(
        self, cache: Num[Array, "N"], s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Num[Array, "N"]:
        """The cache of s': O(N F)."""
        _, at, change = self._changes(s, modes, levels)
        return cache + change @ self.coupling_matrix()[at]

    def _changes(self, s: Array, modes: Array, levels: Array) -> tuple[Array, Array, Array]:
        """(whether each mode is one, the modes clipped, how much their levels change)"""
        inside, at = modes < self.size, jnp.minimum(modes, self.size - 1)
        change = jnp.where(inside, levels.astype(jnp.int32) - s[at].astype(jnp.int32), 0)
        return inside, at, change.astype(real_dtype(self.couplings.dtype))

    # Factored, and the form of the spins that stand for the levels

    def factors(self, samples: Shaped[Array, "S N"]) -> LevelJastrow:
        """∂ log ψ/∂v_ij = (n_i − c_i)(n_j − c_j) and ∂ log ψ/∂a_iv = σ_iv."""
        n = self._centred(samples)
        first, second = np.triu_indices(self.size, 1)
        spins = self.encoding.spins(samples).astype(n.dtype)
        found = Direct(n[:, first] * n[:, second]), Direct(spins)
        return eqx.tree_at(lambda m: (m.couplings, m.field), parameters(self), found)

    def encoded_form(self) -> SpinForm:
        """n_i − c_i = −½ Σ_v σ_iv: a coupling v_ij/4 for all pairs of spins of two modes."""
        code, dtype = self.encoding, self.couplings.dtype
        coupling = self.coupling_matrix()[code.mode][:, code.mode] / 4
        none = jnp.zeros(0, dtype)
        return SpinForm(jnp.zeros((), dtype), self.field, coupling, none, jnp.zeros((code.size, 0), dtype))
