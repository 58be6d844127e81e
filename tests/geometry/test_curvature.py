"""Scalar curvature against closed forms, Riemann's definition by automatic differentiation, and samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine._checks import InputError
from intertwine.geometry import curvature
from intertwine.geometry.couplings import exact
from intertwine.geometry.couplings.parametric import exact_tables, gauss_curvature
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.ising_chain import log_partition
from intertwine.models.spins.potts import Clock, Potts
from intertwine.sampling.draw import sample
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain, Square, Triangular

KEY = jax.random.key(3)


def _riemann(log_z, theta) -> float:
    """R from Γ, ∂Γ and the metric alone, positive for spheres."""
    metric = jax.hessian(log_z)

    def connection(x):
        d = jax.jacfwd(metric)(x)
        lowered = d + d.transpose(0, 2, 1) - d.transpose(2, 0, 1)
        return jnp.einsum("il,ljk->ijk", jnp.linalg.inv(metric(x)), lowered) / 2

    with jax.enable_x64(True):
        x = jnp.asarray(theta, jnp.float64)
        G, D = connection(x), jax.jacfwd(connection)(x)
        ricci = jnp.einsum("ijki->jk", D) - jnp.einsum("ijik->jk", D)
        ricci += jnp.einsum("iil,ljk->jk", G, G) - jnp.einsum("ikl,lji->jk", G, G)
        return float(jnp.trace(jnp.linalg.inv(metric(x)) @ ricci))


def _chain(K: float, h: float) -> float:
    return 1 + np.cosh(h) / np.sqrt(np.sinh(h) ** 2 + np.exp(-4 * K))


def _normal(t):
    return -(t[0] ** 2) / (4 * t[1]) + 0.5 * jnp.log(-jnp.pi / t[1])


def _multinomial(t):
    return jnp.log(1 + jnp.exp(t).sum())


def test_closed_forms():
    assert abs(curvature(_normal, at=(0.3, -0.7)).value + 1) < 1e-9
    for n in (2, 3, 4):  # spheres of radius 2: n (n − 1)/4
        found = curvature(_multinomial, at=np.linspace(-0.5, 0.4, n))
        assert abs(found.value - n * (n - 1) / 4) < 1e-9
    bits = curvature(lambda t: jnp.log(2 * jnp.cosh(t)).sum(), at=(0.2, -0.5, 1.0))
    assert abs(bits.value) < 1e-9
    assert bits.exact and bits.error == 0 and bits.ruppeiner == -bits.value


@pytest.mark.parametrize(("K", "h", "known"), [(0.3, 0.2, 2.744965271011168), (1.0, 0.1, 6.9689626731079)])
def test_infinite_chain(K, h, known):
    found = curvature(log_partition, ("nearest", "field"), at={"nearest": K, "field": h})
    assert abs(found.magnitude - known) < 1e-9 and abs(found.value - _chain(K, h)) < 1e-9


def test_riemanns_definition():
    assert abs(curvature(log_partition, at=(0.3, 0.2)).value - _riemann(log_partition, (0.3, 0.2))) < 1e-9


@pytest.mark.parametrize(("sites", "known"), [(8, 2.67563667298), (16, 2.74495586342)])
def test_rings(sites, known):
    found = curvature(Ising(Chain(sites), 0.0), at=(0.3, 0.2))
    assert abs(found.magnitude - known) < 1e-9
    assert abs(found.total * sites - found.value) < 1e-12
    shown = str(found)
    assert f"{sites} sites" in shown and "spheres positive" in shown


def test_third_cumulants_are_derivatives():
    ring = Ising(Square(3, 3), 0.0, further={"plaquette": 0.1})
    names, step = ("nearest", "field", "plaquette"), 1e-4
    at = np.array([0.2, 0.1, 0.1])
    third = curvature(ring, names, at=at).third
    assert third is not None
    for k, shift in enumerate(step * np.eye(3)):
        up, down = (curvature(ring, names, at=at + x).metric for x in (shift, -shift))
        assert np.abs((up - down) / (2 * step) - third[:, :, k]).max() < 1e-5


CASES = {
    "field": (Ising(Square(4, 3), 0.3, 0.1), None),
    "directions": (Ising(Square(4, 3), 0.3, 0.1), ("nearest:0", "nearest:1")),
    "three couplings": (Ising(Triangular(3, 3), 0.2, 0.1), ("nearest", "field", "corner")),
    "antiferromagnet": (Ising(Triangular(3, 3), -0.4), None),
    "long range": (Ising(Chain(12), 0.3, further={"third": 0.1}), ("nearest", "next", "third")),
    "open": (Ising(Square(3, 3, pbc=False), 0.3, 0.1), ("nearest", "plaquette", "field")),
    "two rows": (Ising(Square(2, 4), 0.3, 0.1), None),
    "glass": (Ising(Chain(10), np.linspace(-1, 1, 10), 0.2), None),
    "potts": (Potts(Square(3, 2), 3, 0.5, 0.1), None),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_are_the_enumeration(name, monkeypatch):
    model, couplings = CASES[name]
    whole = curvature(model, couplings)
    monkeypatch.setattr(exact, "QUICK_TABLE", 4)
    rows = curvature(model, couplings)
    assert abs(whole.value - rows.value) < 1e-9 * max(1, abs(whole.value))
    assert whole.third is not None and rows.third is not None
    assert np.abs(whole.third - rows.third).max() < 1e-9
    assert np.abs(whole.metric - rows.metric).max() < 1e-9


def test_long_ring_by_rows_is_the_infinite_chain():
    assert abs(curvature(Ising(Chain(60), 0.0), at=(0.3, 0.2)).value - _chain(0.3, 0.2)) < 1e-9


def test_gauss_is_the_formula_of_third_cumulants():
    ring = Ising(Chain(6), 0.3, 0.2)
    _, value = gauss_curvature(*exact_tables(ring, ("coupling", "field")))
    assert abs(6 * value - curvature(ring).value) < 1e-3  # float32


def test_a_bias_is_a_tilt_of_the_visible_units():
    rbm = RBM(4, hidden=3, units="binary", scale=0.7, key=KEY)
    by_parameters = curvature(rbm, ("visible_bias[0]", "visible_bias[1]"))
    tilt = curvature(rbm, lambda v: v[:, :2].astype(float))
    assert abs(by_parameters.value - tilt.value) < 1e-3  # float32


@pytest.mark.parametrize("name", ["ring", "square", "potts"])
def test_samples_agree_with_exact_values(name):
    potts = Potts(Chain(6), 3, 0.9, 0.2)
    models = {"ring": Ising(Chain(8), 0.3, 0.2), "square": Ising(Square(4, 4), 0.35), "potts": potts}
    model = models[name]
    known = curvature(model)
    found = curvature(model, samples=20_000, key=KEY)
    assert not found.exact and 0 < found.error < abs(known.value)
    assert abs(found.value - known.value) < 4.5 * found.error
    assert (np.abs(found.metric - known.metric) <= 4.5 * found.metric_error + 1e-12).all()


def test_errors_fit_the_spread_and_bias_is_corrected():
    """Of 60 sets of few independent draws: the pulls are of width 1 about 0."""
    ring = Ising(Chain(6), 0.3, 0.3)
    rows = all_configurations(6)
    weight = np.exp(np.array([float(ring(jnp.asarray(s))) for s in rows]))
    known = curvature(ring)
    draws, pulls = np.random.default_rng(0), []
    sums = lambda s: np.stack([(s * np.roll(s, 1, 1)).sum(1), s.sum(1)], 1).astype(float)  # noqa: E731
    for _ in range(60):
        chosen = rows[draws.choice(len(rows), 2000, p=weight / weight.sum())]
        found = curvature(sums(chosen))
        pulls.append((found.value - known.total) / found.error)
    assert abs(np.mean(pulls)) < 4.5 / 60**0.5 and 0.7 < np.std(pulls) < 1.4


def test_samples_of_ones_own():
    drawn = sample(Ising(Chain(8), 0.3, 0.2), 4000, key=KEY)
    by_name, by_rows = curvature(drawn), curvature(np.asarray(drawn.by_chain), lattice=Chain(8))
    own = curvature(drawn.by_chain, lambda s: np.stack([(s * np.roll(s, 1, 1)).sum(1), s.sum(1)], 1))
    assert abs(by_name.value - by_rows.value) < 1e-9
    assert abs(own.value * 8 - by_name.value) < 1e-6


def test_errors_larger_than_values_are_told():
    bits = np.sign(np.random.default_rng(5).normal(size=(4000, 4)))
    with pytest.warns(Caveat):
        found = curvature(np.stack([bits[:, :2].sum(1), bits[:, 2:].sum(1)], 1))
    assert code_of(found.warnings[-1]) == "unjudged"


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: curvature(Ising(Chain(8), 0.3), "nearest"), "two couplings"),
        (lambda: curvature(Ising(Chain(8), 0.3), ("nearest", "nearest")), "different"),
        (lambda: curvature(Ising(Chain(4), 0.3), ("nearest", "third")), "couplings|coupling"),
        (lambda: curvature(Ising(Square(3, 3), 0.3), ("nearest", "next", "third")), "independent"),
        (lambda: curvature(Ising(Square(4, 4), 0.3), ("nearest", "nearest:0", "nearest:1")), "independent"),
        (lambda: curvature(Ising(Square(20, 20), 0.3)), "samples"),
        (lambda: curvature(Ising(Chain(8), 0.3), at=(0.1,)), "finite numbers"),
        (lambda: curvature(Ising(Chain(8), 0.3), samples=20, key=KEY), "100 samples"),
        (lambda: curvature(Clock(Chain(4), 4, 0.5)), "couplings"),
        (lambda: curvature(lambda t: t.sum(), at=(0.1, 0.2)), "independent|finite|vary"),
        (lambda: curvature(lambda t: t[0]), "None"),
        (lambda: curvature(np.ones((50, 2, 2, 2))), "system"),
        (lambda: curvature(np.full((500, 2), np.nan)), "finite"),
        (lambda: curvature(np.ones((500, 3))), "independent"),
        (lambda: curvature(RBM(4, hidden=2, key=KEY), ("weights[9,9]", "weights[0,0]")), "shape"),
        (lambda: curvature(RBM(4, hidden=2, key=KEY), ("weights", "nonsense")), "couplings"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(make, word):
    with pytest.raises(InputError, match=word) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("K", [7, 9, 10, 20])
def test_strong_couplings_keep_their_digits(K):
    """−0.63253875 by enumeration with 150 digits."""
    found = curvature(Ising(Chain(8), K, 0.2))
    assert abs(found.value + 0.63253875) < 1e-6 and not found.warnings


def test_digits_that_the_transfer_matrix_loses_are_told():
    with pytest.warns(Caveat, match="rounding"):
        found = curvature(Ising(Chain(20), 10, 0.2))
    assert np.isnan(found.value) and [code_of(line) for line in found.warnings] == ["untrusted"]


def test_a_scan_tells_where_digits_are_lost():
    with pytest.warns(Caveat, match="at K = 10 digits"):
        found = it.geometry.curvature_scan(lambda K: Ising(Chain(20), K, 0.2), [0.2, 0.4, 10.0])
    assert np.isfinite(found.exact[:2]).all() and np.isnan(found.exact[2])
