r"""A trained machine as a renormalization step, as a study: where its flow v → h → v ends from T = 0 and from
T = ∞, whether the trace condition holds on rows of its data, and which couplings it has.

A line is a stretch of both flows side by side (`network_flow`). The trace condition is that of rows v of data
whose exact probabilities p(v) = e^{−H(v)} are known: ln Σ_h e^{T(v, h)} with T = H − E is ln Ψ(v) − ln p(v),
one number for all v exactly where the machine is p.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.rg.defaults import FLOW_CHAINS, FLOW_STEPS
from intertwine.rg.networks.lowest_layer import lowest_layer
from intertwine.rg.networks.network_flow import FlowFixedPoint, NetworkFlow, lattice_of_machine, network_flow
from intertwine.rg.networks.rbm_couplings import ShellCouplings, couplings_of_rbm
from intertwine.rg.networks.thermometer import ising_temperature
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattice import Lattice

STRETCH = 100
"""Steps of the flow a line."""

SHELLS = 6
LARGE_SPREAD = 0.1
"""Above this the spread of ln Σ_h e^T, in nats, is told as a failure of the trace condition."""


@dataclass(frozen=True, eq=False, repr=False)
class NetworkReading(Shown):
    """What a machine is as a renormalization step.

    machine: the RBM that was looked at. lattice: of its visible units. met: both flows, where they end, and
    the temperature that this looks like. couplings: of its ln Ψ by distance. trace: ln Σ_h e^T of rows of the
    data, in nats, (n,); None where their distribution is not known. notes: further lines of `warnings`.
    """

    machine: RBM
    lattice: Lattice
    met: FlowFixedPoint
    couplings: ShellCouplings
    trace: Float[np.ndarray, " n"] | None
    notes: tuple[str, ...] = ()

    @property
    def spread(self) -> float:
        """Of ln Σ_h e^T in nats: 0 for an exact step, NaN where it is not known."""
        return float("nan") if self.trace is None else float(self.trace.std())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the reading, a line each."""
        said = []
        if not self.met.met():
            words = f"their energies are {self.met.difference:.4f} apart after {self.met.steps} steps"
            said.append(
                caveat("not-converged", f"the flows from T = 0 and T = ∞ have not met: {words}; take more")
            )
        if self.spread > LARGE_SPREAD:
            words = f"ln Σ_h e^T spreads by {self.spread:.3g} nats over the data"
            reason = "so the machine is no exact renormalization step of their Hamiltonian"
            said.append(caveat("assumption", f"the trace condition does not hold: {words}, {reason}"))
        return (*self.notes, *said)

    def __str__(self) -> str:
        nearest = with_error(float(self.couplings.means[0]), float(self.couplings.scatter[0]))
        lines = [str(self.met), f"coupling of nearest neighbours {nearest}"]
        if self.trace is not None:
            lines.append(f"ln Σ_h e^T spreads by {self.spread:.3g} nats over {len(self.trace)} rows")
        return beneath("\n".join(lines), self.warnings)


class BothFlows(NamedTuple):
    """energies: float64 (2, chains, steps + 1), cold and hot, NaN where they have not come. spins: int8 (2,
    chains, N).
    """

    energies: np.ndarray
    spins: np.ndarray


class NetworkStudy(Study[BothFlows, NetworkReading]):
    """Both flows of `machine`, stretch by stretch; then what it is.

    rows: of the data, in the machine's units, (n, N), or None. log_probability: of such rows, in nats, or
    None where it is not known. steps: of each flow, rounded up to whole stretches.
    """

    def __init__(
        self,
        machine: RBM,
        lattice: Lattice,
        *,
        rows: np.ndarray | None,
        log_probability: Callable[[np.ndarray], np.ndarray] | None,
        steps: int,
        chains: int,
        notes: tuple[str, ...] = (),
        key: Array,
    ):
        self.machine, self.lattice, self.rows, self.log_probability = machine, lattice, rows, log_probability
        self.chains, self.notes, self.key = chains, notes, key
        self.lines = -(-steps // STRETCH)

    @property
    def steps(self) -> int:
        """Of each flow."""
        return self.lines * STRETCH

    def template(self, done: int) -> BothFlows:
        energies = np.full((2, self.chains, self.steps + 1), np.nan)
        return BothFlows(energies, np.zeros((2, self.chains, self.lattice.size), np.int8))

    def start(self) -> BothFlows:
        """All spins alike, half of the chains up; and random spins."""
        energies, spins = self.template(0)
        spins[0] = np.where(np.arange(self.chains) % 2, -1, 1)[:, None]
        drawn = jax.random.bernoulli(jax.random.fold_in(self.key, 0), 0.5, spins.shape[1:])
        spins[1] = 2 * np.asarray(drawn) - 1
        return BothFlows(energies, spins)

    def iterate(self, state: BothFlows, done: int) -> Iterator[tuple[BothFlows, Scalars]]:
        for line in range(done, self.lines):
            energies, spins = state.energies.copy(), state.spins.copy()
            means = []
            for k in range(2):
                key = jax.random.fold_in(jax.random.fold_in(self.key, line + 1), k)
                found = network_flow(self.machine, spins[k], STRETCH, lattice=self.lattice, key=key)
                energies[k, :, line * STRETCH : (line + 1) * STRETCH + 1] = found.energies
                spins[k] = found.configurations
                means.append(float(found.mean[-1]))
            state = BothFlows(energies, spins)
            yield state, {"cold": means[0], "hot": means[1]}

    def finish(self, state: BothFlows, history: list[Scalars]) -> NetworkReading:
        half = self.steps // 2 + 1
        flows = [NetworkFlow(e, s, self.lattice) for e, s in zip(state.energies, state.spins, strict=True)]
        cold, hot = (estimate(flow.energies[:, half:]) for flow in flows)
        both = estimate(np.concatenate([flow.energies[:, half:] for flow in flows]))
        reading = ising_temperature(float(both.mean), self.lattice, float(both.error))
        met = FlowFixedPoint(cold, hot, both, reading, self.steps, (flows[0], flows[1]))
        shells = min(SHELLS, self.lattice.shells)
        couplings = couplings_of_rbm(self.machine, self.lattice, shells=shells)
        return NetworkReading(self.machine, self.lattice, met, couplings, self._trace(), self.notes)

    def _trace(self) -> np.ndarray | None:
        """ln Ψ(v) − ln p(v) of the rows."""
        if self.rows is None or self.log_probability is None:
            return None
        psi = np.asarray(jax.vmap(self.machine)(jnp.asarray(self.rows)), np.float64)
        return psi - np.asarray(self.log_probability(self.rows), np.float64)


def network_study(
    machine: RBM,
    rows: ArrayLike | None = None,
    *,
    log_probability: Callable[[np.ndarray], np.ndarray] | None = None,
    steps: int = FLOW_STEPS,
    chains: int = FLOW_CHAINS,
    lattice: Lattice | None = None,
    progress: Callable[[BothFlows, Scalars], object] | None = None,
    key: Array | None = None,
) -> NetworkReading:
    """A trained machine as a renormalization step: the numbers of `intertwine renormalize FOLDER` with the
    same settings and `key = jax.random.key(seed)`.

    machine: an `RBM` with real parameters on spins or bits; of a `DBM` or `DBN` its lowest layer, with a
    caveat; a fit, or a run (`it.load`), stands for its machine. rows: of the data, in the machine's units,
    (n, N). log_probability: rows ↦ ln p of the distribution that the data come from, for the trace condition;
    of a data set `data.known.log_probability`. steps, chains: of the flows from T = 0 and from T = ∞, in
    stretches of 100 steps. lattice: of the visible units; None for the square torus, said as a `Caveat`.
    progress: called with the state and the numbers after each stretch. key: None is `jax.random.key(0)`.

    Raises InputError for other machines, rows and lattices.

    >>> from intertwine.spaces.lattices import Square
    >>> rbm = RBM(16, hidden=8, scale=0.3, key=jax.random.key(1))
    >>> found = network_study(rbm, steps=200, lattice=Square(4, 4))
    >>> found.met.met(), found.couplings.means.shape, found.trace is None
    (True, (5,), True)
    """
    rbm, notes = lowest_layer(as_model(machine))
    lattice = lattice_of_machine(rbm, lattice)
    if rows is not None:
        rows = np.asarray(rows, np.float64)
        if rows.ndim != 2 or rows.shape[1] != rbm.size:
            raise fail("rows", f"rows (n, {rbm.size})", f"shape {rows.shape}")
    if positive_int("chains", chains) < 4:
        raise fail("chains", "at least 4 chains, two of them up and two down", chains)
    study = NetworkStudy(
        rbm, lattice, rows=rows, log_probability=log_probability, steps=positive_int("steps", steps),
        chains=int(chains), notes=notes, key=jax.random.key(0) if key is None else check_key(key),
    )  # fmt: skip
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found
