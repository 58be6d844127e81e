"""Group-convolutional wave functions: the convolution, the symmetry, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.experiments.ground_state.build import build_model
from intertwine.experiments.ground_state.checks import memory_needed
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.models import laws
from intertwine.models.names import MODEL_NAMES, model_from_name
from intertwine.models.numerics import cos_sin, log_weighted_sums
from intertwine.models.parameters import count_parameters
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.group_convolution import abelian_normal_subgroup, group_convolution
from intertwine.models.symmetric.sectors import sector
from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim
from intertwine.quantum.vmc.ground_state import ground_state
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.enumeration import Enumeration, all_configurations
from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular
from intertwine.symmetry.groups.permutation_group import PermutationGroup
from thinned import thinned

from .table import dihedral_ring

LATTICES = {
    "chain": Chain(6),
    "chain-odd": Chain(5),
    "square": Square(3, 3),
    "rectangle": Square(4, 2),
    "triangular": Triangular(3, 3),
    "honeycomb": Honeycomb(2, 2),
    "kagome": Kagome(2, 2),
    "open": Square(3, 3, pbc=False),
}
values = jax.jit(jax.vmap(lambda psi, s: psi(s), (None, 0)))
quaternions = PermutationGroup.generate([[1, 4, 3, 6, 5, 0, 7, 2], [2, 7, 4, 1, 6, 3, 0, 5]])


def reference(group, kernel, f):
    """(Kf)(g) = Σ_h K(g⁻¹h) f(h), element by element, rows of the group in order."""
    table = group.product_table[group.inverse]  # g⁻¹h
    return np.einsum("ghoi,hib->gob", np.asarray(kernel)[table], np.asarray(f))


@pytest.mark.parametrize("name", [*LATTICES, "quaternions"])
def test_executors_are_the_convolution(name, key):
    lattice = LATTICES.get(name)
    group = quaternions if lattice is None else lattice.space_group
    random = np.random.default_rng(0)
    kernel, f = (random.normal(size=(group.order, *shape)) for shape in ((3, 2), (2, 4)))
    expected = reference(group, kernel, f)
    plans = [group_convolution(group, executor=executor) for executor in ("momentum", "dense", "auto")]
    if lattice is not None:
        plans.append(group_convolution(group, lattice.translations, executor="momentum"))
    for plan in plans:
        n, order = plan.elements.shape[0], plan.elements.reshape(-1)
        assert np.array_equal(np.sort(order), np.arange(group.order))
        found = np.asarray(jax.jit(plan)(kernel, f[order].reshape(n, -1, 4))).reshape(group.order, 3, 4)
        np.testing.assert_allclose(found, expected[order], rtol=0, atol=1e-12 * np.abs(expected).max())


def test_the_convolution_commutes_with_the_group(key):
    plan = group_convolution(dihedral_ring(6), executor="momentum")
    convolve, group, order = jax.jit(plan), plan.group, plan.elements.reshape(-1)
    kernel = jax.random.normal(key, (12, 2, 2))
    f = np.asarray(jax.random.normal(key, (12, 2, 1)))

    def convolved(f):
        out = np.empty_like(f)
        out[order] = np.asarray(convolve(kernel, f[order].reshape(6, -1, 1))).reshape(12, 2, 1)
        return out

    for u in range(group.order):
        shifted = group.multiply(int(group.inverse[u]), np.arange(12))  # (u f)(g) = f(u⁻¹g)
        np.testing.assert_allclose(convolved(f[shifted]), convolved(f)[shifted], rtol=0, atol=1e-12)


def test_fewer_products_decide_the_executor():
    assert group_convolution(Square(4, 4).space_group).executor == "momentum"
    assert group_convolution(Square(3, 2, pbc=False).space_group).executor == "dense"
    assert len(abelian_normal_subgroup(Square(4, 4).space_group)) >= 16
    assert len(abelian_normal_subgroup(quaternions)) == 4


def last_with_states(group):
    """The last one-dimensional character that some configuration of spins carries: Σ_g χ(g)* 2^cycles > 0."""
    cycles = [len(PermutationGroup.generate([p]).orbits()) for p in group.permutations]
    counts = (group.characters_1d().conj() @ 2.0 ** np.array(cycles)).real / group.order
    return group.characters_1d()[np.flatnonzero(counts > 0.5)[-1]]


@pytest.mark.parametrize("name", thinned(LATTICES))
def test_the_wave_function_carries_its_character(name, key):
    lattice = LATTICES[name]
    group = lattice.space_group
    for character, options in ((None, {}), (last_with_states(group), {"dtype": complex})):
        psi = GCNN(lattice, 2, 2, character=character, scale=1.5, key=key, **options)
        laws.assert_invariant(psi, group, character, key=key, configurations=32)


def test_translations_alone_a_subgroup_and_three_dimensions(key):
    cubic = Cubic(2, 2, 2)
    for lattice, group in ((Chain(6), "translations"), (cubic, cubic.translations), (cubic, "space")):
        psi = GCNN(lattice, 2, 1, group=group, key=key)
        laws.assert_invariant(psi, psi.group, key=key, configurations=8)


def test_spin_flip(key):
    s = laws.random_configurations(GCNN(Chain(6), 1, 1, key=key), 8, key=key)
    for flip, options in ((1, {}), (-1, {}), (1, {"layers": 1, "dtype": complex})):
        psi = GCNN(
            Chain(6), **({"layers": 2} | options), features=2, spin_flip=flip, group="translations", key=key
        )
        there, flipped = np.asarray(values(psi, s)), np.asarray(values(psi, -s))
        seen = there.real > -100  # where translations carry s to −s, an odd ψ vanishes
        assert seen.sum() >= 4
        np.testing.assert_allclose(np.exp(flipped - there)[seen], flip, rtol=0, atol=1e-12)


def test_any_vmap_is_one_batch(key):
    psi = GCNN(Chain(6), 2, 2, dtype=complex, key=key)
    S = laws.random_configurations(psi, 12 * 16, key=key)
    value = jax.jit(lambda psi, s: psi(s))
    one_by_one = np.stack([value(psi, s) for s in S[:4]])
    nested = jax.jit(jax.vmap(jax.vmap(psi)))(S.reshape(12, 16, 6)).reshape(-1)
    np.testing.assert_allclose(nested[:4], one_by_one, rtol=0, atol=1e-13)
    np.testing.assert_allclose(nested, values(psi, S), rtol=0, atol=1e-13)
    both = jax.tree.map(lambda x: np.stack([x, 2 * np.asarray(x)]), psi)
    pair = jax.jit(jax.vmap(lambda m, s: m(s)))(both, S[:2])
    doubled = jax.tree.map(lambda x: x[1], both)
    np.testing.assert_allclose(pair, np.stack([value(psi, S[0]), value(doubled, S[1])]), rtol=0, atol=1e-13)


@pytest.mark.parametrize("make", [heisenberg, j1j2])
def test_local_energies_against_the_matrix(make, key):
    lattice = Chain(6)
    operator = make(lattice)
    psi = GCNN(lattice, 2, 2, dtype=complex, key=key)
    S = all_configurations(6)
    amplitudes = np.exp(np.asarray(values(psi, S)))
    expected = operator.to_dense() @ amplitudes / amplitudes
    np.testing.assert_allclose(local_values(operator, psi, jnp.asarray(S)), expected, rtol=0, atol=1e-11)


def test_ground_state_of_a_ring(key):
    ring = Chain(8)
    psi = GCNN(ring, 2, 2, spin_flip=1, key=key)
    run = ground_state(
        heisenberg(ring), psi, 40, 64, key=key, sampler=Enumeration(0), shift=1e-3, final_samples=1
    )
    assert abs(run.energy.mean / -14.604373635748 - 1) < 1e-4


def test_exponentials_and_nodes(key):
    x = jnp.linspace(-50.0, 50.0, 1001)
    for found, expected in zip(cos_sin(x), (np.cos(x), np.sin(x)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=4e-16)
    u = jnp.asarray([[0.3, 0.3], [0.3, 0.1]]) + 0j
    value, shares = log_weighted_sums(u, np.array([1.0, -1.0]))
    assert value[0].real < -300 and not np.any(shares[:, 0])
    np.testing.assert_allclose(np.exp(value[1]), np.exp(0.3) - np.exp(0.1), rtol=1e-12)
    np.testing.assert_allclose(shares[:, 1].sum(), 1, rtol=1e-12)


def test_models_by_name(key):
    lattice = Square(3, 3)
    psi = model_from_name("gcnn:3x2", lattice, dtype=complex, key=key)
    assert (psi.layers, psi.features, psi.group.order, psi.kind) == (3, 2, 72, "complex")
    assert count_parameters(psi) == 2 * 9 + 2 + 72 * (4 + 8) + 2 + 4
    small = model_from_name("gcnn:1x2:translations:even", lattice, key=key)
    assert small.group.order == 9 and small.spin_flip == 1 and small.lift_bias is None
    for wrong in (
        "gcnn",
        "gcnn:4",
        "gcnn:0x2",
        "gcnn:2x0",
        "gcnn:2x1.5",
        "gcnn:ax2",
        "gcnn:2x2:uneven",
        "gcnn:2x2x2",
    ):
        with pytest.raises(InputError) as error:
            model_from_name(wrong, lattice, key=key)
        assert all(known in str(error.value) for known in MODEL_NAMES)


def test_the_command_builds_it(key):
    data = {"lattice": "square:3x3", "hamiltonian": {"name": "tfim"}, "model": {"name": "gcnn:2x3"}}
    configuration = GroundStateConfiguration.model_validate(data)
    assert build_model(configuration, tfim(Square(3, 3)), key).features == 3
    assert memory_needed(configuration, 9) > 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"layers": 0}, "layers"),
        ({"features": 2.5}, "features"),
        ({"group": "point"}, "group"),
        ({"group": Chain(4).space_group}, "group"),
        ({"spin_flip": 2}, "spin_flip"),
        ({"dtype": "int32"}, "dtype"),
        ({"scale": -1}, "scale"),
        ({"executor": "fft"}, "executor"),
        ({"character": [1.0, 2.0]}, "character"),
        ({"character": "A1"}, "character"),
        ({"character": np.arange(12.0)}, "character"),
        ({"character": np.zeros(12)}, "character"),
        ({"character": np.full(12, np.nan)}, "character"),
        ({"key": 3}, "key"),
        ({"lattice": "chain:6"}, "lattice"),
    ],
)
def test_what_does_not_fit_is_refused(options, word, key):
    arguments = {"lattice": Chain(6), "layers": 2, "features": 2, "key": key} | options
    with pytest.raises(InputError, match=f"^{word}"):
        GCNN(arguments.pop("lattice"), **arguments)


def test_a_sum_of_two_irreps_is_no_irrep(key):
    pair = sector(Chain(6), np.pi / 3).character + sector(Chain(6)).character
    with pytest.raises(InputError, match=r"^character"):
        GCNN(Chain(6), 2, 2, character=pair, key=key)


def test_wrong_translations_and_shapes(key):
    with pytest.raises(InputError, match=r"^translations"):
        group_convolution(dihedral_ring(6), PermutationGroup.generate([[0, 5, 4, 3, 2, 1]]))
    with pytest.raises(InputError, match=r"^configuration: expected one array of shape"):
        GCNN(Chain(6), 2, 2, key=key)(jnp.ones(5))
