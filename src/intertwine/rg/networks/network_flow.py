r"""The flow of a trained RBM: visible to hidden to visible, iterated.

    v ──p(h|v)──► h ──p(v|h)──► v' ──► …

Iso, Shiba & Yokoo (Phys. Rev. E 97, 053304, 2018) read this map, for machines that were trained on Ising
configurations, as a renormalization group and saw it run to T_c; Funai & Giataganas (Phys. Rev. Research 2,
033415, 2020) saw it run to the maximum of the specific heat, and de Mello Koch, de Mello Koch & Cheng (IEEE
Access 8, 106487, 2020) compared it with block spins. Whatever the data, the map is block Gibbs sampling of
the machine: it has one fixed point, the machine's own distribution, reached from every start. What can be
measured is how fast, along which energies, and which temperature that distribution looks like
(`thermometer`): a property of the training, not of the Ising model. So nothing here knows T_c.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int8
from numpy.typing import ArrayLike

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.blocks.blocks import assumed_torus, check_carried
from intertwine.rg.networks.lowest_layer import lowest_layer
from intertwine.rg.networks.thermometer import Temperature, ising_temperature
from intertwine.sampling.statistics.estimate import Estimate, estimate
from intertwine.spaces.lattice import Lattice

CHAINS = 400
"""Configurations that flow side by side, where a start is given by a word or a temperature."""


@dataclass(frozen=True, eq=False, repr=False)
class NetworkFlow(Shown):
    """Configurations that flowed through a network, and their energies on the way.

    energies: float64 (chains, steps + 1), −Σ_{⟨ij⟩} s_i s_j / N of every chain, before the first step and
    after each. configurations: int8 ±1 (chains, N), where they ended. lattice: on which they are.
    """

    energies: Float[np.ndarray, "chains steps+1"]
    configurations: Int8[np.ndarray, "chains N"]
    lattice: Lattice

    @property
    def mean(self) -> Float[np.ndarray, " steps+1"]:
        """The mean energy per site after each step."""
        return self.energies.mean(0)

    @property
    def error(self) -> Float[np.ndarray, " steps+1"]:
        """One σ of `mean`; chains are independent."""
        return self.energies.std(0, ddof=1) / np.sqrt(len(self.energies))

    @property
    def temperatures(self) -> list[Temperature]:
        """The temperature of the Ising model with the mean energy after each step."""
        pairs = zip(self.mean.tolist(), self.error.tolist(), strict=True)
        return [ising_temperature(e, self.lattice, s) for e, s in pairs]

    def __str__(self) -> str:
        steps = self.energies.shape[1] - 1
        shown = sorted({0, *(10**k for k in range(6) if 10**k < steps), steps})
        lines = [f"{'step':>8}  energy/site           temperature"]
        for k in shown:
            reading = ising_temperature(float(self.mean[k]), self.lattice, float(self.error[k]))
            lines.append(f"{k:>8}  {with_error(self.mean[k], self.error[k], '+.4f'):<16}     {reading}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class FlowFixedPoint(Shown):
    """Where the flows from T = 0 and from T = ∞ end.

    cold, hot: energy per site over the second half of each flow, with errors that include autocorrelation.
    energy: of both together. temperature: of the Ising model with this energy. steps: of each flow.
    """

    cold: Estimate
    hot: Estimate
    energy: Estimate
    temperature: Temperature
    steps: int
    flows: tuple[NetworkFlow, NetworkFlow]

    @property
    def difference(self) -> float:
        """|cold − hot|, energy per site."""
        return abs(float(self.cold.mean) - float(self.hot.mean))

    def met(self, tolerance: float = 0.01) -> bool:
        """Whether the two energies agree to `tolerance`."""
        return self.difference <= tolerance

    def __str__(self) -> str:
        verdict = "met" if self.met() else "have NOT met: take more steps"
        return (
            f"from T = 0: {self.cold}; from T = ∞: {self.hot}; {self.difference:.4f} apart: they {verdict} "
            f"({self.steps} steps)\nfixed point: energy {self.energy} a site, {self.temperature}"
        )


def network_flow(
    rbm: RBM, start: ArrayLike, steps: int, *, lattice: Lattice | None = None, key: Array | None = None
) -> NetworkFlow:
    """Configurations mapped v → h → v `steps` times, each unit drawn from its conditional distribution.

    rbm: real, spin or binary visible units; of a `DBM` or `DBN` the lowest layer, said as a `Caveat`; a fit
    or a run (`it.load`) stands for its machine. start: configurations ±1 (chains, N); "cold" (all spins
    equal, half of the chains up); "hot" (random spins); or a temperature, for Ising configurations of it.
    lattice: of the visible units; None for the one that configurations of `it.sample` brought along as
    `start`, else the square torus of side √N, said as a `Caveat`. key: None is `jax.random.key(0)`.

    Raises InputError for other machines and starts, and where no lattice is known.

    >>> rbm = RBM(16, hidden=8, scale=0.3, key=jax.random.key(1))
    >>> from intertwine.spaces.lattices import Square
    >>> flow = network_flow(rbm, "cold", 50, lattice=Square(4, 4), key=jax.random.key(2))
    >>> flow.energies.shape, float(flow.mean[0]), bool(abs(flow.mean[-1]) < 0.5)
    ((400, 51), -2.0, True)
    """
    rbm, said = lowest_layer(as_model(rbm))
    tell(said)
    lattice = lattice_of_machine(rbm, getattr(start, "lattice", None) if lattice is None else lattice)
    steps = positive_int("steps", steps, "give how many times v → h → v is applied")
    key = jax.random.key(0) if key is None else key
    begin, run = jax.random.split(key)
    spins = _started(start, lattice, begin)
    energies, ended = _flow(rbm, jnp.asarray(spins), jax.random.split(run, steps), lattice)
    found = np.concatenate([_energy(spins, lattice)[None], np.asarray(energies, np.float64)])
    return NetworkFlow(found.T, np.asarray(ended), lattice)


def flow_fixed_point(
    rbm: RBM,
    *,
    steps: int = 1000,
    most_steps: int = 64_000,
    chains: int = CHAINS,
    lattice: Lattice | None = None,
    key: Array | None = None,
) -> FlowFixedPoint:
    """The fixed point of the flow, from T = 0 and from T = ∞.

    Both flows run `steps` steps, and twice as many again and again up to `most_steps` while their energies
    over the second half differ by more than 0.01 or by more than three of their errors. `met()` tells whether
    they do in the end. Arguments and errors as for `network_flow`.

    >>> from intertwine.spaces.lattices import Square
    >>> rbm = RBM(16, hidden=8, scale=0.3, key=jax.random.key(1))
    >>> print(flow_fixed_point(rbm, lattice=Square(4, 4)).met())
    True
    """
    rbm, said = lowest_layer(as_model(rbm))
    tell(said)
    lattice = lattice_of_machine(rbm, lattice)
    steps, most = positive_int("steps", steps), positive_int("most_steps", most_steps)
    chains = positive_int("chains", chains)
    if chains < 4:
        raise fail("chains", "at least 4 chains, two of them up and two down", chains)
    key = jax.random.key(0) if key is None else key
    flows = [
        network_flow(
            rbm, _words(word, lattice, chains, key), steps, lattice=lattice, key=jax.random.fold_in(key, k)
        )
        for k, word in enumerate(("cold", "hot"))
    ]
    while True:
        length = flows[0].energies.shape[1] - 1
        cold, hot = (estimate(flow.energies[:, length // 2 + 1 :]) for flow in flows)
        apart = abs(float(cold.mean) - float(hot.mean))
        allowed = min(0.01, 3 * float(np.hypot(cold.error, hot.error)))
        if apart <= allowed or 2 * length > most:
            break
        flows = [
            _longer(rbm, flow, length, jax.random.fold_in(key, 10 * length + k))
            for k, flow in enumerate(flows)
        ]
    both = estimate(np.concatenate([flow.energies[:, length // 2 + 1 :] for flow in flows]))
    reading = ising_temperature(float(both.mean), lattice, float(both.error))
    return FlowFixedPoint(cold, hot, both, reading, length, (flows[0], flows[1]))


def _longer(rbm: RBM, flow: NetworkFlow, steps: int, key: Array) -> NetworkFlow:
    """The flow and `steps` more steps of it."""
    more = network_flow(rbm, flow.configurations, steps, lattice=flow.lattice, key=key)
    return NetworkFlow(
        np.concatenate([flow.energies, more.energies[:, 1:]], 1), more.configurations, flow.lattice
    )


@jax.jit(static_argnames="lattice")
def _flow(rbm: RBM, spins: Array, keys: Array, lattice: Lattice) -> tuple[Array, Array]:
    """Energies (steps, chains) and the last configurations ±1 int8."""
    binary, bonds = rbm.units == "binary", linked_bonds(lattice)[0]

    def step(v: Array, key: Array) -> tuple[Array, Array]:
        up, down = jax.random.split(key)
        v = rbm.sample_visible(rbm.sample_hidden(v, key=up), key=down)
        s = 2 * v - 1 if binary else v
        return v, -(s[:, bonds[:, 0]] * s[:, bonds[:, 1]]).sum(-1) / lattice.size

    first = spins.astype(rbm.weights.dtype)
    v, energies = jax.lax.scan(step, (1 + first) / 2 if binary else first, keys)
    return energies, (jnp.rint(2 * v - 1) if binary else v).astype(jnp.int8)


def _energy(spins: np.ndarray, lattice: Lattice) -> np.ndarray:
    bonds, s = linked_bonds(lattice)[0], spins.astype(np.int64)
    return -(s[:, bonds[:, 0]] * s[:, bonds[:, 1]]).sum(1) / lattice.size


def lattice_of_machine(rbm: RBM, lattice: Lattice | None) -> Lattice:
    """The lattice of the visible units of a machine that can flow. Raises InputError for others."""
    if not isinstance(rbm, RBM) or rbm.kind != "real" or rbm.units not in ("spin", "binary"):
        raise fail("rbm", "an RBM with real parameters and spin or binary visible units", type(rbm).__name__)
    if lattice is None:
        return assumed_torus(rbm.size, "lattice", "visible units")
    if not isinstance(lattice, Lattice) or lattice.size != rbm.size:
        raise fail("lattice", f"a lattice of {rbm.size} sites", lattice)
    return lattice


def _started(start: ArrayLike, lattice: Lattice, key: Array) -> np.ndarray:
    """int8 ±1 (chains, N)."""
    if isinstance(start, str):
        return _words(start, lattice, CHAINS, key)
    if np.ndim(start) == 0:
        return _at_temperature(start, lattice, key)
    check_carried(start, lattice)
    spins = np.asarray(start)
    if spins.ndim != 2 or spins.shape[1] != lattice.size or len(spins) < 2:
        raise fail("start", f"configurations (chains ≥ 2, {lattice.size})", f"shape {spins.shape}")
    if not np.isin(spins, (-1, 1)).all():
        raise fail("start", "spins ±1", "other values", "2 v − 1 makes spins of bits")
    return spins.astype(np.int8)


def _words(start: str, lattice: Lattice, chains: int, key: Array) -> np.ndarray:
    if start == "cold":
        signs = np.where(np.arange(chains) % 2, -1, 1).astype(np.int8)
        return np.repeat(signs[:, None], lattice.size, axis=1)
    if start == "hot":
        return np.asarray(2 * jax.random.bernoulli(key, 0.5, (chains, lattice.size)) - 1, np.int8)
    raise fail("start", "'cold', 'hot', a temperature, or configurations", start)


def _at_temperature(value: object, lattice: Lattice, key: Array) -> np.ndarray:
    from intertwine.sampling.spins.cluster import SwendsenWang

    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.floating | np.integer)
        or not 0.05 <= value <= 1e6
    ):
        raise fail("start", "a temperature from 0.05 to 1e6", value)
    model, sampler = Ising(lattice, 1 / float(value)), SwendsenWang(chains=CHAINS)
    return np.asarray(sampler.init(model, key=key).configurations)
