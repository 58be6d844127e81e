"""Weights of a network carried over to a larger lattice: a configuration that repeats has the same angles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.carried import carried_over, images

KEY = jax.random.key(0)


def repeated(s, small, large):
    """`s` of `small`, again and again over `large`."""
    cells = np.stack(np.unravel_index(np.arange(np.prod(large.extent)), large.extent), axis=1)
    rows = np.ravel_multi_index((cells % np.array(small.extent)).T, small.extent)
    return jnp.asarray(np.asarray(s).reshape(-1, small.basis_size)[rows].reshape(-1))


@pytest.mark.parametrize(
    ("small", "large", "group"),
    [
        (it.Chain(4), it.Chain(12), None),
        (it.Square(2, 3), it.Square(4, 6), None),
        (it.Honeycomb(2), it.Honeycomb(4), None),
        (it.Square(3, 3), it.Square(6, 6), "space"),
    ],
)
def test_repeated_configurations_have_the_same_log_psi_per_site(small, large, group):
    with jax.enable_x64(True):
        psi = it.SymmetricRBM(small, 2, group=group, key=KEY)
        phi = carried_over(psi, small, it.SymmetricRBM(large, 2, group=group, key=KEY), large)
        s = jax.random.choice(KEY, jnp.array([-1, 1]), (small.size,))
        ratio = large.size / small.size
        np.testing.assert_allclose(phi(repeated(s, small, large)), ratio * psi(s), rtol=1e-12)
        assert phi(repeated(s, small, large)) != psi(s)


@pytest.mark.parametrize("group", ["translations", "space"])
def test_units_of_group_convolutions_repeat(group):
    """log Σ_g e^{y_g} over twice the elements, with the same y: ln of the ratio of the orders more."""
    small, large = it.Square(3, 3), it.Square(6, 3)
    if group == "space":
        large = it.Square(6, 6)
    with jax.enable_x64(True):
        psi = it.models.GCNN(small, 2, 2, group=group, key=KEY)
        phi = carried_over(psi, small, it.models.GCNN(large, 2, 2, group=group, key=KEY), large)
        s = jax.random.choice(KEY, jnp.array([-1, 1]), (small.size,))
        more = np.log(phi.group.order / psi.group.order)
        np.testing.assert_allclose(phi(repeated(s, small, large)) - psi(s), more, rtol=1e-9)


def test_what_cannot_be_carried_over():
    small, large = it.Chain(4), it.Chain(8)
    with pytest.raises(it.InputError, match="tied by translations"):
        carried_over(it.RBM(4, hidden=4, key=KEY), small, it.RBM(8, hidden=8, key=KEY), large)
    with pytest.raises(it.InputError, match="larger lattice"):
        images(it.Chain(8), it.Chain(6))
    with pytest.raises(it.InputError, match="larger lattice"):
        images(it.Chain(4), it.Chain(8, pbc=False))
