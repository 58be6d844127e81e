"""P A P against dense matrices for bounds drawn at random: numbers, parities, ranges, weights of any sign."""

import numpy as np
import pytest
from dense_modes import within

import intertwine as it
from intertwine._checks import InputError

op = it.operators
SYSTEMS = {
    "fermions": it.Fermions(6),
    "atoms": it.Rydberg(it.Chain(6), blockade=None),
    "bosons": it.Bosons(4, most=2),
    "mixed": it.Fermions(3) * it.Bosons(2, most=2),
}


def bounded(space, rng):
    """The space with one to three bounds, such that some configurations are left."""
    while True:
        bounds = []
        for _ in range(rng.integers(1, 4)):
            modes = rng.choice(space.size, rng.integers(2, 4), replace=False)
            weights = rng.choice([-1, 1, 1, 2], len(modes))
            modulus = int(rng.choice([0, 0, 2, 3])) or None
            low = int(rng.integers(0, 2))
            bounds.append(it.Bound(tuple(modes), tuple(weights), low, low + int(rng.integers(0, 2)), modulus))
        try:
            return space.within(*bounds)
        except InputError:
            continue


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("seed", range(4))
def test_bounds_at_random(name, seed):
    free, rng = SYSTEMS[name], np.random.default_rng(seed)
    space = bounded(free, rng)
    modes = [(site, s) for s, (_, group) in enumerate(free.species) for site in range(len(group))]
    terms = []
    for _ in range(12):
        a, b = (modes[k] for k in rng.integers(0, len(modes), 2))
        terms.append(rng.normal() * op.create(free, *a) @ op.annihilate(free, *b))
        terms.append(rng.normal() * op.annihilate(free, *a) @ op.number(free, *b))
    A = op.total(terms)
    inside, dense = op.projected(A, space), A.to_dense()
    np.testing.assert_allclose(inside.to_dense(), within(space, dense), rtol=0, atol=1e-12)
    np.testing.assert_allclose(A.to_sparse(space).toarray(), within(space, dense), rtol=0, atol=1e-12)
    assert inside.hilbert == space and not op.leaves(inside)
    for elements, others in inside.host_rows(space.configurations()):
        assert others is None or space.allows(others[elements != 0]).all()
    hermitian = op.projected(A + A.adjoint, space)
    assert hermitian.is_hermitian


def test_a_range_of_many_modes_is_left_to_operators_that_keep_its_sum():
    space = it.Fermions(it.Chain(14)).within(it.Bound(tuple(range(14)), (1,) * 14, 2, 3, name="particles"))
    H = it.tv(space)
    assert not op.leaves(H) and op.projected(H, space).is_close(H)
    assert H.to_sparse().shape == (91 + 364, 91 + 364)
    with pytest.raises(InputError, match="constraints of at most 12 modes"):
        op.projected(op.create(space, 0), space)
    bosons = it.Bosons(20, most=3).within(it.Bound(tuple(range(20)), (1,) * 20, 2, 3, name="particles"))
    assert not op.leaves(op.create(bosons, 0) @ op.annihilate(bosons, 5), bosons)
