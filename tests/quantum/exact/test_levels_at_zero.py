"""Ground energies that are 0, which a criterion relative to the energy never takes as found."""

import numpy as np
import pytest

import intertwine as it

CASES = {
    "electrons without hops": lambda: it.hubbard(it.Fermions(it.Chain(5), (2, 2)), t=0.0, U=4.0),
    "one bond hops": lambda: it.hubbard(
        it.Fermions(it.Chain(6), (2, 1)), t=[1, 0, 0, 0, 0, 0], U=4.0, mu=[-2, -2, 0, 0, 0, 0]
    ),
    "repelling neighbours": lambda: it.tv(it.Fermions(it.Chain(10), 3), t=0.0, V=1.0),
    "sites that cost": lambda: it.tv(it.Fermions(it.Chain(12), 2), t=0.0, V=0.0, mu=[-1] * 3 + [0] * 9),
    "bosons": lambda: it.bose_hubbard(it.Bosons(it.Chain(5), 4), J=0.0, U=2.0),
    "bosons, one bond": lambda: it.bose_hubbard(
        it.Bosons(it.Chain(5), 4), J=[1, 0, 0, 0, 0], U=2.0, mu=[-1, -1, 0, 0, 0]
    ),
    "atoms at rest": lambda: it.rydberg(it.Rydberg(it.Chain(10)), Omega=0.0, Delta=-1.0),
    "spins": lambda: it.heisenberg(it.Chain(8), J=-1.0) + 8.0,
    "a field off": lambda: it.tfim(it.Chain(8), J=1.0, h=0.0) + 8.0,
}


@pytest.mark.parametrize("name", CASES)
def test_the_lowest_level_at_zero_is_found(name):
    H = CASES[name]()
    lowest = np.linalg.eigvalsh(H.to_sparse(H.hilbert).toarray())[0]
    assert abs(lowest) < 1e-9
    assert abs(it.exact.ground_energy(H)) < 1e-9
    assert abs(it.exact.ground_state(H)[0]) < 1e-9
    assert abs(it.exact.spectrum(H, 2)[0]) < 1e-9
