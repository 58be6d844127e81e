"""From the settings of an evolution to its study, and to the exact curves where they are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.experiments.evolve.settings import EvolveConfiguration
from intertwine.experiments.ground_state.hamiltonians import Tfim as Ising
from intertwine.experiments.ground_state.loaded import run_of_size
from intertwine.experiments.ground_state.places import build_lattice
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.quantum.dynamics.evolution import Evolution, Observable
from intertwine.quantum.dynamics.evolve import evolution
from intertwine.quantum.dynamics.local_unitary import locally_turned
from intertwine.quantum.dynamics.starts import product_infidelity, product_state
from intertwine.quantum.entanglement import renyi2, von_neumann
from intertwine.quantum.exact.evolution import steps
from intertwine.quantum.exact.free_fermions import IsingRing, ramped_ising_ring
from intertwine.quantum.operators import hamiltonians
from intertwine.quantum.operators.operator import Operator
from intertwine.runs.begun import NONE
from intertwine.sampling.space import placed
from intertwine.sampling.statistics.estimate import Estimate

if TYPE_CHECKING:
    from intertwine.spaces.graph.graph import Graph
    from intertwine.spaces.lattice import Lattice

EXACT_ENTROPY, EXACT_CURVE = 16, 14
"""Sites to which the entropy is von Neumann's, and to which exact curves are made by vectors."""

RAMPED = 1e-7
"""The error of exact curves under a ramp, per unit of time."""

Curves = dict[str, np.ndarray]


class Problem(NamedTuple):
    """Everything that the settings determine. infidelity: of the start, from the state that was named."""

    lattice: Lattice | Graph
    study: Evolution
    infidelity: float
    operators: dict[str, Operator]


def build(c: EvolveConfiguration) -> Problem:
    """The lattice and the study; `InputError` for what does not go together."""
    lattice = build_lattice(c.lattice)
    start_key, run_key = jax.random.split(jax.random.key(c.seed))
    model, infidelity = beginning(c, lattice, start_key)
    operators = _operators(c, lattice)
    observables: dict[str, Observable] = dict(operators)
    if c.measure.entropy == "auto" and lattice.size > 1:
        observables["entropy"] = _entropy(c, lattice, jax.random.fold_in(run_key, 1))
    s, m = c.sampling, c.method
    study = evolution(
        hamiltonian(c, lattice), model, times(c), observables=observables, key=run_key,
        imaginary=c.time.direction == "imaginary", method=m.name, samples=_given(s.samples),
        observe=_given(s.observe), tolerance=_given(m.tolerance), cutoff=_given(m.cutoff), snr=m.snr,
    )  # fmt: skip
    return Problem(lattice, study, infidelity, operators)


def times(c: EvolveConfiguration) -> np.ndarray:
    """The times, float64 (points,)."""
    return np.linspace(0.0, c.time.end, c.time.points)


def hamiltonian(c: EvolveConfiguration, lattice: Lattice | Graph) -> Operator | Callable[[float], Operator]:
    """H, or H(t) of a ramp; as written, in the frame of the sites."""
    settings, make = c.hamiltonian.arguments(), getattr(hamiltonians, c.hamiltonian.name)
    if "marshall" in settings:
        settings["marshall"] = settings["marshall"] is True
    ramp = c.time.ramped
    if ramp is None:
        return make(lattice, **settings)
    name, end = ramp
    begin, span = settings.get(name, 0.0), c.time.end
    return lambda t: make(lattice, **settings | {name: begin + (end - begin) * t / span})


def blank(c: EvolveConfiguration, lattice: Lattice | Graph) -> Any:
    """A network of the run's structure, with whatever parameters."""
    from intertwine.models.names import model_from_name

    place: Any = lattice
    return model_from_name(c.model.name, place, dtype=complex, sector=c.model.sector, key=jax.random.key(0))


def beginning(c: EvolveConfiguration, lattice: Lattice | Graph, key: jax.Array) -> tuple[Any, float]:
    """(the network at time 0, the infidelity of what it was before spins were turned from the product state
    that was asked for)."""
    made, infidelity = _before(c, lattice, key)
    return turned(c, made), infidelity


def turned(c: EvolveConfiguration, model: PyTree) -> Any:
    """`model` with the spins turned that are to be at time 0."""
    return locally_turned(model, c.model.turns) if c.model.turns else model


def _before(c: EvolveConfiguration, lattice: Lattice | Graph, key: jax.Array) -> tuple[Any, float]:
    if c.model.start != NONE:
        run = run_of_size(c.model.start, lattice.size)
        return placed(complex_of(run.model, blank(c, lattice)), run.space), 0.0
    made = product_state(blank(c, lattice), c.model.state, key=key)
    return made, product_infidelity(made, c.model.state)


def complex_of(model: PyTree, fresh: PyTree) -> Any:
    """`fresh`, a network of complex parameters, or with a complex last layer, with those of `model`, which is
    alike but for that: the same wave function."""
    given, blanks = (jax.tree.leaves(eqx.filter(m, eqx.is_inexact_array)) for m in (model, fresh))
    if isinstance(model, GCNN) and len(given) == len(blanks):
        given = [_with_zeros(x, y.shape) for x, y in zip(given, blanks, strict=True)]
    if [x.shape for x in given] != [x.shape for x in blanks]:
        expected, got = "a run whose model has complex parameters", "one that has no complex form"
        raise fail("model.start", expected, got, "make the run with --dtype complex")
    numbers, rest = eqx.partition(fresh, eqx.is_inexact_array)
    cast = [x.astype(y.dtype) for x, y in zip(given, blanks, strict=True)]
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(numbers), cast), rest)


def _with_zeros(weights: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """The weights of a last layer, and zeros for its imaginary parts where `shape` has room for them."""
    if len(shape) != weights.ndim:
        return weights
    more = [(0, n - m if n in (m, 2 * m) else 0) for m, n in zip(weights.shape, shape, strict=True)]
    return jnp.pad(weights, more)


def _operators(c: EvolveConfiguration, lattice: Lattice | Graph) -> dict[str, Operator]:
    """⟨X⟩ per site, and ⟨Z Z⟩ of the first shells of neighbours, the mean over their pairs."""
    n = lattice.size
    found = {"X": Operator.from_strings(n, [(1 / n, {i: "X"}) for i in range(n)], lattice=lattice)}
    for shell in range(1, min(c.measure.distances, lattice.shells) + 1):
        bonds = np.asarray(lattice.bonds(shell)).reshape(-1, 2)
        if len(bonds):
            pairs = [(1 / len(bonds), {int(i): "Z", int(j): "Z"}) for i, j in bonds]
            found[f"ZZ{shell}"] = Operator.from_strings(n, pairs, lattice=lattice)
    return found


def _entropy(c: EvolveConfiguration, lattice: Lattice | Graph, key: jax.Array) -> Callable[[PyTree], Any]:
    half = range(lattice.size // 2)
    if lattice.size <= EXACT_ENTROPY:
        return lambda model: von_neumann(model, half)
    samples = c.sampling.observe if isinstance(c.sampling.observe, int) else 4096

    def sampled(model: PyTree) -> Estimate:
        return renyi2(model, half, samples, key=key).estimate

    return sampled


def _given(value: object) -> Any:
    return None if value == "auto" else value


def exact_curves(c: EvolveConfiguration, problem: Problem) -> tuple[Curves, str]:
    """(name → values at every time, where they are from); ({}, "") where none are known.

    From the very vector of the start to 14 sites; of Ising rings of any length from |+x⟩ by free fermions.
    """
    n, lattice = problem.lattice.size, problem.lattice
    imaginary = c.time.direction == "imaginary"
    if n <= EXACT_CURVE:
        return _by_vectors(c, problem, imaginary), f"Krylov evolution of all 2^{n} amplitudes"
    ring = lattice.dimension == 1 and all(lattice.periodic) and lattice.basis_size == 1 and n > 2
    ramp, h = c.time.ramped, c.hamiltonian
    from_x = c.model.start == NONE and c.model.state == "+x" and not c.model.turns
    if not (isinstance(h, Ising) and ring and from_x) or imaginary or (ramp is not None and ramp[0] != "h"):
        return {}, ""
    J, strength = h.J, h.h
    if not (
        isinstance(J, int | float) and isinstance(strength, int | float)
    ):  # a number for each bond or site
        return {}, ""
    if ramp is None:
        states = IsingRing(n, J, strength).quench(times(c))
    else:
        field = lambda t: strength + (ramp[1] - strength) * t / c.time.end  # noqa: E731
        states = ramped_ising_ring(n, field, times(c), J=J)
    found = {"X": np.array([state.X for state in states])}
    for name in problem.operators:
        if name.startswith("ZZ"):
            found[name] = np.array([state.ZZ(int(name[2:])) for state in states])
    if c.measure.entropy == "auto":
        order = 1 if n <= EXACT_ENTROPY else 2
        found["entropy"] = np.array([state.entropy(n // 2, order) for state in states])
    return found, "free fermions"


def _by_vectors(c: EvolveConfiguration, problem: Problem, imaginary: bool) -> Curves:
    from intertwine.quantum.entanglement import state_vector

    n, found = problem.lattice.size, {name: [] for name in [*problem.operators, "energy"]}
    H = hamiltonian(c, problem.lattice)
    matrices = {name: operator.to_sparse() for name, operator in problem.operators.items()}
    fixed = H.to_sparse() if isinstance(H, Operator) else None
    entropies = []
    begin = state_vector(problem.study.given).amplitudes
    within = None if fixed is not None else RAMPED
    for t, psi, _ in steps(H, begin, times(c), imaginary=imaginary, tolerance=within):
        energy = fixed if fixed is not None else H(t).to_sparse()  # type: ignore[operator]
        for name, matrix in (*matrices.items(), ("energy", energy)):
            found[name].append(float(np.real(np.vdot(psi, matrix @ psi))))
        entropies.append(von_neumann(psi, range(n // 2)) if n > 1 else 0.0)
    curves = {name: np.array(values) for name, values in found.items()}
    return curves | ({"entropy": np.array(entropies)} if c.measure.entropy == "auto" and n > 1 else {})
