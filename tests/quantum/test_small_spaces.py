"""Ground states of small spaces whose signs no positive or symmetric function has, as a user calls them:
nothing given but the operator and a key, against exact diagonalization."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import code_of
from intertwine._checks import InputError

KEY = jax.random.key(3)
KITE = it.Graph([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)])
PAIRED = "\n".join(f"-1 * c^{i} c{i + 1} + h.c.\n0.6 * c^{i} c^{i + 1} + h.c.\n-0.5 * n{i}" for i in range(3))
KONDO = """
-1 * c^0_up c1_up + h.c.
-1 * c^0_down c1_down + h.c.
2 * n1_up n1_down
0.8 * Sz1_electrons Sz0_spins
0.4 * Sp1_electrons Sm0_spins + h.c.
"""
RANDOM = np.random.default_rng(5).normal(size=5)

SYSTEMS = {
    "t-V on a kite": lambda: it.tv(it.Fermions(KITE, 2), V=3.0, t=-1.0),
    "Hubbard, random": lambda: it.hubbard(it.Fermions(KITE, (2, 1)), U=5.0, t=RANDOM),
    "Hubbard with flux": lambda: it.hubbard(it.Fermions(it.Chain(4), (2, 1)), U=4.0, twist=[0.7]),
    "spins 1 on an odd ring": lambda: it.heisenberg(it.Spins(it.Chain(3), s=1)),
    "frustrated bosons": lambda: it.bose_hubbard(it.Bosons(it.Chain(3), 3), J=-1.0, U=1.5),
    "spins of one magnetization": lambda: it.heisenberg(it.Spins(KITE, magnetization=1), RANDOM),
    "pairs of one parity": lambda: it.operators.read_terms(PAIRED, it.Fermions(4, parity=1)),
    "electrons and a spin 1": lambda: it.operators.read_terms(
        KONDO, it.Fermions(it.Chain(2, pbc=False), 2, spin=True) * it.Spins(1, s=1)
    ),
    "one configuration": lambda: it.tv(it.Fermions(KITE, 5), V=3.0, t=-1.0),
}
QUICK = ("Hubbard with flux", "frustrated bosons", "electrons and a spin 1")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SYSTEMS]
)
def test_default_reaches_the_ground_state(name):
    operator = SYSTEMS[name]()
    run = it.ground_state(operator, key=KEY)
    exact = it.exact.ground_energy(operator)
    assert abs(float(np.real(run.energy.mean)) - exact) < 1e-5 * max(1.0, abs(exact))
    of_a_table = ["assumption"] if isinstance(run.model, it.models.AmplitudeTable) else []
    assert [code_of(line) for line in run.warnings] == of_a_table


def test_few_samples_are_sums_where_there_are_fewer_configurations():
    operator = SYSTEMS["t-V on a kite"]()
    run = it.ground_state(operator, samples=64, key=KEY)
    assert abs(float(run.energy.mean) - it.exact.ground_energy(operator)) < 1e-5


def test_observables_of_the_table():
    """Densities, also those of a ground state with vanishing amplitudes."""
    space = it.Bosons(it.Graph([(0, 1), (1, 2), (2, 0), (2, 3)]), 3)
    operator = it.bose_hubbard(space, J=-1.0, U=1.5, mu=np.array([0.2, 0.0, 0.0, 0.4]))
    run = it.ground_state(operator, key=jax.random.key(1))
    _, psi = it.exact.ground_state(operator)
    want = np.abs(psi) ** 2 @ space.levels_of(space.configurations())
    got = [float(run.expect(it.operators.number(space, i)).mean) for i in range(4)]
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_table_of_amplitudes():
    space = it.Fermions(it.Chain(5), 2)
    values = np.random.default_rng(0).normal(size=space.dimension)
    psi = it.models.AmplitudeTable(space, values)
    rows = jnp.asarray(space.configurations())
    np.testing.assert_allclose(np.exp(np.asarray(jax.vmap(psi)(rows))), values, rtol=1e-5, atol=1e-6)
    assert float(jnp.real(psi(jnp.ones(5, jnp.int8)))) == -np.inf
    assert psi.kind == "signed" and it.models.AmplitudeTable(space, 1j * values).kind == "holomorphic"
    with pytest.raises(InputError, match=r"amplitudes: expected 10 finite numbers"):
        it.models.AmplitudeTable(space, values[:3])
    with pytest.raises(InputError, match=r"space: expected a space of at most 65536 configurations"):
        it.models.AmplitudeTable(it.Fermions(40, 20))


STAR = it.Graph([(0, i) for i in range(1, 12)])
"""A graph of 11! automorphisms, too many to list."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: it.tv(it.Fermions(STAR, 2), V=1.0),
        pytest.param(lambda: it.bose_hubbard(it.Bosons(STAR, 2), U=2.0), marks=pytest.mark.slow),
    ],
    ids=["fermions", "bosons"],
)
def test_graphs_of_too_many_automorphisms_have_a_default(make):
    operator = make()
    run = it.ground_state(operator, key=KEY)
    exact = np.linalg.eigvalsh(operator.to_sparse(operator.hilbert).toarray())[0]
    assert abs(float(np.real(run.energy.mean)) - exact) < 1e-4 * abs(exact)
