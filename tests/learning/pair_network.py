"""A small network of radial functions of pairs, and clusters of Morse's potential to learn from."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.data.structures.structures import Structures
from intertwine.spaces.points.gather import gathered
from intertwine.spaces.points.points import Points

CUTOFF = 3.0


class PairNetwork(eqx.Module):
    """E_i = Σ_j Σ_k w_k(elements) φ_k(r_ij), φ smooth and 0 beyond the cutoff; vectors along r_ij."""

    weights: jax.Array
    bias: jax.Array
    space: object = eqx.field(static=True)
    rep_in: object = eqx.field(static=True)
    rep_out: object = eqx.field(static=True)
    functions: int = eqx.field(static=True)
    vector: bool = eqx.field(static=True)

    def __init__(self, inputs=1, outputs="scalar", *, functions=6, key, dtype=None):
        self.space = Points(CUTOFF)
        self.rep_in = self.space.named_type(f"{inputs} scalar")
        self.rep_out = self.space.named_type(outputs)
        self.vector, self.functions = "vector" in outputs, functions
        width = self.rep_out.dimension - 3 * self.vector
        dtype = jnp.result_type(float) if dtype is None else dtype
        shape = (functions, inputs, inputs, width + self.vector)
        self.weights = 0.3 * jax.random.normal(key, shape, dtype)
        self.bias = jnp.zeros(width, dtype)

    def __call__(self, x, *, at, key=None):
        r = at.vectors()
        d = jnp.sqrt((r**2).sum(-1))
        u = jnp.clip(d / CUTOFF, 0, 1)
        smooth = jnp.where(at.near, (1 - u**2) ** 3, 0.0)
        centres = jnp.linspace(0.6, CUTOFF, self.functions).astype(d.dtype)
        phi = jnp.exp(-4 * (d[..., None] - centres) ** 2) * smooth[..., None]
        near = gathered(x, at)
        m = jnp.einsum("nkf,na,nkb,fabo->nko", phi, x, near, self.weights)
        if not self.vector:
            return m.sum(1) + self.bias
        return jnp.concatenate([m[..., :-1].sum(1) + self.bias, (m[..., -1:] * r).sum(1)], -1)


def morse(x):
    """(energy, forces) of a cluster: e^{−4(r − 1)} − 2 e^{−2(r − 1)} of pairs, smoothly 0 at the cutoff."""
    r = x[None] - x[:, None]
    d = np.sqrt((r**2).sum(-1) + np.eye(len(x)) * 1e6)
    u2 = np.minimum((d / CUTOFF) ** 2, 1.0)
    smooth, slope = (1 - u2) ** 3, -6 * d / CUTOFF**2 * (1 - u2) ** 2
    soft = np.exp(-2 * (d - 1))
    pair, by_d = soft**2 - 2 * soft, -4 * soft**2 + 4 * soft
    forces = ((by_d * smooth + pair * slope) / d)[..., None] * r
    return 0.5 * (pair * smooth).sum(), forces.sum(1)


def clusters(count, sizes=(5,), seed=0, species=(18,), extra=()):
    """Clusters near simple cubic places, with their energies and forces."""
    rng = np.random.default_rng(seed)
    grid = 1.15 * np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3)
    positions, energies, forces, kinds = [], [], [], []
    for k in range(count):
        n = sizes[k % len(sizes)]
        x = grid[:n] + rng.normal(scale=0.06, size=(n, 3))
        e, f = morse(x)
        positions.append(x)
        energies.append(e)
        forces.append(f)
        kinds.append(np.resize(species, n))
    values = {"energy": np.array(energies), "forces": np.concatenate(forces)}
    units = {"energy": "eV", "forces": "eV/Å"}
    return Structures.of(positions, kinds, values=values | dict(extra), units=units)
