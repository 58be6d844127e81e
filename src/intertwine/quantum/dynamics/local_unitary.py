r"""States U|ψ⟩ with U a product of unitaries of single sites, on the model of any run.

    (Uψ)(s) = Σ_{s'} Π_j u_j[s_j, s'_j] ψ(s'),      u_j[s, s'] with index 0 for s = +1

A matrix that is diagonal, or that is zero on the diagonal (Z, X, Y, turns about z by any angle), leads from s
to one s'; any other matrix leads to two, so that k of them take 2^k amplitudes. A spin form, an RBM among
them, stays one under the first kind,

    diag(e^{α+β}, e^{α−β}) at j:   a_j ← a_j + β;            X at j:   a_j, W_j ← −a_j, −W_j,

and is then a machine of its own, free to move without the symmetry that U has broken; other models are
wrapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Num, PyTree, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.protocols import Kind, SpinFormed, spin_form
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum.dynamics.starts import standing_for, start_distance
from intertwine.quantum.vmc.expect import state_of
from intertwine.sampling.space import placed

MOST_MIXED = 12
"""Sites whose matrices lead to two configurations."""
PAULI = {
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]], complex),
    "H": np.array([[1, 1], [1, -1]], complex) / np.sqrt(2),
}
_UNITARY = 1e-10


class LocallyTurned(eqx.Module):
    """U|ψ⟩ of `model`; build it with `locally_turned`.

    bits: the matrices (N, 2, 2) as real and imaginary parts, stored as integers, so that they are no
    parameters. swapped: bool (N,), sites whose spin is always turned. mixed: int32 (k,), sites that lead to
    both.
    """

    model: Any
    bits: Int[Array, "N 2 2 2"]
    swapped: Shaped[Array, "N"]
    mixed: Int[Array, "k"]

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if self.model.kind == "holomorphic" else "complex"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log (Uψ)(s) of one configuration (N,) of spins ±1."""
        real = jnp.float64 if self.bits.dtype == jnp.int64 else jnp.float32
        parts = jax.lax.stop_gradient(jax.lax.bitcast_convert_type(self.bits, real))
        u = jax.lax.complex(parts[..., 0], parts[..., 1])
        patterns = np.array(list(product((1, -1), repeat=self.mixed.shape[0])), np.int8)
        before = jnp.where(self.swapped, -s, s)

        def term(pattern: Array) -> tuple[Array, Array]:
            other = before.at[self.mixed].multiply(pattern)
            row, column = (1 - s) // 2, (1 - other) // 2
            return jnp.prod(u[jnp.arange(self.size), row, column]), self.model(other)

        factors, logs = jax.vmap(term)(jnp.asarray(patterns, s.dtype))
        top = jax.lax.stop_gradient(jnp.max(jnp.real(logs)))
        return top + jnp.log(jnp.sum(factors * jnp.exp(logs - top)))


def locally_turned(model: PyTree, unitaries: Mapping[int, ArrayLike | str]) -> Any:
    """U|ψ⟩ of a model or a run: site → its 2×2 unitary, or "X", "Y", "Z", "H" (Hadamard).

    A start for `it.evolve`, in the space and the frame of the run. What is given is a machine with complex
    parameters where the model is one and each matrix leads to one configuration; a wrapper of the model else,
    exactly U|ψ⟩ too, of at most 12 sites whose matrices lead to two.

    Raises InputError for sites outside, matrices that are not unitary, more sites, and matrices that change
    Σ s of a state that is confined to one. A field on all sites is an evolution: `it.evolve` under
    Σ_j n_j·σ_j turns every spin, with a bound.

    >>> import intertwine as it
    >>> psi = it.RBM(3, hidden=2, dtype=complex, scale=0.3, key=jax.random.key(0))
    >>> X1 = it.Operator.from_strings(3, [(1.0, {1: "X"})]).to_dense()
    >>> a, b = (it.entanglement.state_vector(m).amplitudes for m in (psi, locally_turned(psi, {1: "X"})))
    >>> abs(np.vdot(X1 @ a, b)).round(9)
    np.float64(1.0)
    """
    network, where = state_of(as_model(model))
    spins = as_spins(network)
    n = spins.size
    u = np.tile(np.eye(2, dtype=complex), (n, 1, 1))
    for site, given in unitaries.items():
        if isinstance(site, bool) or not isinstance(site, int | np.integer) or not 0 <= site < n:
            raise fail("unitaries", f"sites 0 to {n - 1}", f"site {site!r}")
        u[site] = _matrix(given, int(site))
    turned = () if where is None else where.turned or ()
    for site in turned:  # Z u Z: in the frame of the run
        u[site] = PAULI["Z"] @ u[site] @ PAULI["Z"]
    straight, across = (
        np.all(np.abs(u * mask) < _UNITARY, axis=(1, 2)) for mask in (1 - np.eye(2), np.eye(2))
    )
    if where is not None and where.magnetizations is not None and not straight.all():
        expected = "unitaries that keep Σ s (turns about z)"
        got, remedy = f"others, for a state of {where}", "train it over all configurations (it.Metropolis())"
        raise fail("unitaries", expected, got, remedy)
    mixed = np.flatnonzero(~straight & ~across)
    if len(mixed) > MOST_MIXED:
        remedy = "turn every spin by it.evolve under a sum of fields"
        raise fail("unitaries", f"at most {MOST_MIXED} sites with other matrices", f"{len(mixed)}", remedy)
    made = _machine(spins, u, across) if len(mixed) == 0 else None
    if made is None:
        made = LocallyTurned(spins, _bits(u), jnp.asarray(across), jnp.asarray(mixed, jnp.int32))
    if where is not None:
        made = placed(made, where)
    return standing_for(made, start_distance(network)) if start_distance(network) else made


def _matrix(given: ArrayLike | str, site: int) -> np.ndarray:
    if isinstance(given, str):
        if given not in PAULI:
            raise fail(f"unitaries[{site}]", "a 2×2 unitary, 'X', 'Y', 'Z' or 'H'", repr(given))
        return PAULI[given]
    u = np.asarray(given, complex)
    if u.shape != (2, 2) or not np.allclose(u.conj().T @ u, np.eye(2), rtol=0, atol=1e-8):
        raise fail(f"unitaries[{site}]", "a 2×2 unitary, 'X', 'Y', 'Z' or 'H'", given)
    return u


def _machine(spins: PyTree, u: np.ndarray, across: np.ndarray) -> RBM | None:
    """An RBM that is U|ψ⟩ up to a factor, where the model is a spin form without couplings."""
    if not isinstance(spins, SpinFormed):
        return None
    form = spin_form(spins)
    if form.coupling is not None or form.weights.shape[1] == 0:
        return None
    up, down = (np.where(across, u[:, k, 1 - k], u[:, k, k]) for k in (0, 1))
    beta = 0.5 * (np.log(up) - np.log(down))
    sign = np.where(across, -1.0, 1.0)
    dtype = jnp.result_type(form.weights.dtype, jnp.complex64)
    field, hidden, weights = (jnp.asarray(x, dtype) for x in (form.field, form.hidden_bias, form.weights))
    moved = jnp.asarray(sign, dtype) * field + jnp.asarray(beta, dtype)
    return RBM.from_parameters(moved, hidden, jnp.asarray(sign, dtype)[:, None] * weights)


def _bits(u: np.ndarray) -> Array:
    parts = np.stack([np.real(u), np.imag(u)], axis=-1)
    wide = jax.config.read("jax_enable_x64")
    return jnp.asarray(parts.view(np.int64) if wide else parts.astype(np.float32).view(np.int32))
