"""Exact evolution: Krylov spaces against dense exponentials, free fermions against vectors."""

import numpy as np
import pytest
from scipy.linalg import expm

import intertwine as it
from intertwine.quantum.exact.free_fermions import pfaffian

exact = it.quantum.exact

QUENCH = {  # ring of 10, |+x⟩: X, ZZ_1, ZZ_2, ZZ_5, X_0X_1, S and S_2 of 5 sites, |⟨ψ(0)|ψ(t)⟩|²
    (0.5, 0.25): (0.7748181646085, 0.1125909176957, 0.004407034366513, 6.936025854793e-09,
                  0.7744351611226, 0.4538805694697, 0.2393302333087, 0.5392698666412),
    (0.5, 3.0): (0.4232243620878, 0.2883878189561, -0.09812632550724, -0.02229105652561,
                 0.1785188778255, 1.932450340397, 1.643176295355, 0.02279589497616),
    (1.0, 1.0): (0.5293270623891, 0.4706729376109, 0.2801412912938, 0.0161219200436,
                 0.2295795621965, 1.480050580638, 1.237973905309, 0.1527334197561),
}  # fmt: skip


def test_free_fermions_give_the_reference():
    for (h, t), expected in QUENCH.items():
        ring = exact.IsingRing(10, h=h)
        s, start = ring.quench([t])[0], ring.polarised()
        got = (s.X, s.ZZ(1), s.ZZ(2), s.ZZ(5), s.XX(1), s.entropy(5), s.entropy(5, 2), start.overlap(s))
        np.testing.assert_allclose(got, expected, atol=1e-12)
        assert abs(ring.energy(s) + 10 * h) < 1e-12


def test_free_fermions_of_forty():
    s = exact.IsingRing(40, h=0.5).quench([1.0])[0]
    got = s.X, s.ZZ(1), s.ZZ(10), s.entropy(20), s.entropy(10, 2), s.entropy(20, 3)
    expected = 0.2817340582981, 0.3591329707, 1.938e-14, 1.412245024099, 1.350710156874, 1.322844999258
    np.testing.assert_allclose(got, expected, atol=1e-8)


def test_free_fermions_and_vectors_agree():
    times, N = [0.2, 0.9, 2.0], 8
    ring = exact.IsingRing(N, J=0.7, h=1.3)
    X0, ZZ2 = (it.Operator.from_strings(N, [(1.0, s)]).to_sparse() for s in ({0: "X"}, {0: "Z", 2: "Z"}))
    for psi, state in zip(
        exact.evolve(it.tfim(it.Chain(N), J=0.7, h=1.3), "+x", times), ring.quench(times), strict=True
    ):
        found = np.vdot(psi, X0 @ psi).real, np.vdot(psi, ZZ2 @ psi).real
        np.testing.assert_allclose(found, (state.X, state.ZZ(2)), atol=1e-11)
        p = np.linalg.svd(psi.reshape(2**3, -1), compute_uv=False) ** 2
        np.testing.assert_allclose(state.entropy(3), -np.sum(p * np.log(p)), atol=1e-10)
    at_rest = ring.ground_state()
    np.testing.assert_allclose(ring.energy(at_rest), exact.ground_energy(it.tfim(it.Chain(N), J=0.7, h=1.3)))


def test_symmetries_of_the_quench():
    """ZZ_1(h, t) = ZZ_1(1/h, h t), by duality, and X + ZZ_1 = 1 at h = 1, by energy."""
    for h, t in ((0.5, 0.8), (0.3, 1.5)):
        low, high = (exact.IsingRing(60, h=f).quench([s])[0] for f, s in ((h, t), (1 / h, h * t)))
        np.testing.assert_allclose(low.ZZ(1), high.ZZ(1), atol=1e-10)
    for state in exact.IsingRing(12).quench([0.4, 1.7]):
        np.testing.assert_allclose(state.X + state.ZZ(1), 1.0, atol=1e-10)


def test_entropy_grows_at_the_rate_of_quasi_particles():
    for h, rate in ((1.0, 2 / np.pi), (0.5, 1 / np.pi)):
        first, last = exact.IsingRing(200, h=h).quench([8.0, 10.0])
        np.testing.assert_allclose((last.entropy(100) - first.entropy(100)) / 4, rate, rtol=0.02)


def test_ramps_agree_and_are_of_fourth_order():
    def field(t):
        return 0.5 + t

    def operator(t):
        return it.tfim(it.Chain(6), J=1.0, h=field(t))

    fine = exact.ramped_ising_ring(6, field, [0.8], step=0.002)[0].X
    errors = [exact.ramped_ising_ring(6, field, [0.8], step=d)[0].X - fine for d in (0.2, 0.1)]
    assert 3.7 < np.log2(errors[0] / errors[1]) < 4.4
    psi = exact.evolve(operator, "+x", [0.8], step=0.1)[0]
    X = it.Operator.from_strings(6, [(1.0, {0: "X"})]).to_sparse()
    np.testing.assert_allclose(np.vdot(psi, X @ psi).real, fine + errors[1], atol=1e-12)


def test_a_jump_is_met_by_shorter_steps():
    """A sudden quench as H(t), also of a coupling that is absent before, against two evolutions."""
    for before, after in (((1.0, 0.5), (1.0, 2.0)), ((1.0, 0.0), (0.3, 1.7))):
        H, K = (it.tfim(it.Chain(4), J=J, h=h) for J, h in (before, after))
        found = exact.trajectory(lambda t, H=H, K=K: K if t >= 0.3 else H, [0.4, 1.0, 2.0, 0.1], [0.2, 0.5])
        psi = exact.evolve(H, [0.4, 1.0, 2.0, 0.1], [0.2, 0.3])
        wanted = exact.evolve(K, psi[1], [0.2])[0]
        np.testing.assert_allclose(found.states[0], psi[0], atol=1e-11)
        assert np.linalg.norm(found.states[1] - wanted) < found.errors[1] < 1e-8


def test_a_drive_against_dense_exponentials():
    ring = it.Chain(4)
    ZZ, X = it.tfim(ring, J=1.0, h=0.0).to_dense(), it.tfim(ring, J=0.0, h=1.0).to_dense()

    def dense(steps):
        psi, h = exact.product_vector(4, [0.3, 1.0, 0.2, 2.0]).astype(complex), 0.5 / steps
        for k in range(steps):
            t = (k + 0.5) * h
            psi = expm(-1j * h * ((1 + 0.3 * np.cos(3 * t)) * ZZ + (1 + np.sin(5 * t)) * X)) @ psi
        return psi

    coarse, fine, finest = (dense(steps) for steps in (40, 80, 160))  # of even orders in h
    once, twice = (4 * fine - coarse) / 3, (4 * finest - fine) / 3
    wanted = (16 * twice - once) / 15
    found = exact.trajectory(
        lambda t: it.tfim(ring, J=1 + 0.3 * np.cos(3 * t), h=1 + np.sin(5 * t)), [0.3, 1.0, 0.2, 2.0], [0.5]
    )
    assert np.linalg.norm(found.states[0] - wanted) < 1e-8
    assert np.linalg.norm(found.states[0] - wanted) < found.errors[0] + 1e-9 < 2e-9


def test_errors_of_a_fixed_hamiltonian_are_told():
    H, times = it.tfim(it.Chain(4), h=0.7), [0.5, 3.0]
    found = exact.trajectory(H, [0.4, 1.0, 2.0, 0.1], times, tolerance=1e-7)
    start = exact.product_vector(4, [0.4, 1.0, 2.0, 0.1])
    for t, psi, error in zip(times, found.states, found.errors, strict=True):
        assert np.linalg.norm(psi - expm(-1j * t * H.to_dense()) @ start) <= error + 1e-13 < 1e-6


@pytest.mark.parametrize("imaginary", [False, True])
def test_krylov_against_the_dense_exponential(imaginary):
    rng = np.random.default_rng(3)
    strings = ["".join(rng.choice(list("IXYZ"), 5)) for _ in range(12)]
    H = it.Operator.from_strings(5, [(float(rng.normal()), s) for s in strings])
    start = rng.normal(size=32) + 1j * rng.normal(size=32)
    times = [0.0, 0.3, 4.0]
    got = exact.evolve(H, start, times, imaginary=imaginary)
    for t, psi in zip(times, got, strict=True):
        expected = expm((-1.0 if imaginary else -1j) * t * H.to_dense()) @ start
        np.testing.assert_allclose(psi, expected / np.linalg.norm(expected), atol=1e-11)


def test_product_vectors():
    neel = exact.product_vector(4, "neel")
    assert np.flatnonzero(neel).tolist() == [0b0101]
    theta, phi = 0.7, -1.1
    psi = exact.product_vector(3, [(theta, phi)] * 3)
    wanted = {"X": np.sin(theta) * np.cos(phi), "Y": np.sin(theta) * np.sin(phi), "Z": np.cos(theta)}
    for letter, value in wanted.items():
        operator = it.Operator.from_strings(3, [(1.0, {1: letter})]).to_dense()
        np.testing.assert_allclose(np.vdot(psi, operator @ psi).real, value, atol=1e-14)


def test_pfaffian_squares_to_the_determinant():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(8, 8))
    a = a - a.T
    np.testing.assert_allclose(pfaffian(a) ** 2, np.linalg.det(a))
    swapped = np.eye(8)[[1, 0, *range(2, 8)]]
    np.testing.assert_allclose(pfaffian(swapped @ a @ swapped.T), -pfaffian(a))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((it.tfim(it.Chain(3)), "+x", [1.0, 0.5]), "times"),
        ((it.tfim(it.Chain(3)), "+x", [-1.0]), "times"),
        ((it.tfim(it.Chain(3)), "sideways", [1.0]), "state"),
        ((it.tfim(it.Chain(3)), np.zeros(8), [1.0]), "state"),
        ((it.Operator.from_strings(3, [(1j, "XII")]), "+x", [1.0]), "Hermitian"),
        ((it.tfim(it.Chain(25)), "+x", [1.0]), "24 sites"),
        (
            (lambda t: it.tfim(it.Chain(2), h=np.random.default_rng(int(1e9 * t)).random()), "+x", [1.0]),
            "follow",
        ),
    ],
)
def test_bad_input(arguments, word):
    with pytest.raises(it.InputError, match=word):
        exact.evolve(*arguments)


@pytest.mark.parametrize("N, J, h", [(5, -1.0, 0.7), (6, -1.0, 0.7), (5, -1.0, -0.7), (6, 1.0, -0.5)])
def test_the_lowest_state_of_the_sector_has_its_parity(N, J, h):
    """Also of odd rings with J < 0, where the emptiest Gaussian state has the other one."""
    H = it.tfim(it.Chain(N), J=J, h=h).to_dense()
    flips = np.eye(2**N)[::-1]  # Π X
    exact = np.linalg.eigvalsh(H + 1e3 * (np.eye(2**N) - flips))[0]
    ring = it.exact.IsingRing(N, J=J, h=h)
    assert ring.energy(ring.ground_state()) == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("couplings", [{"J": np.nan}, {"h": np.inf}, {"h": "strong"}, {"J": 1j}])
def test_rings_have_couplings_that_are_numbers(couplings):
    with pytest.raises(it.InputError, match="expected a finite number"):
        it.exact.IsingRing(4, **couplings)
    if "h" in couplings:
        with pytest.raises(it.InputError, match="expected a finite number"):
            it.exact.ramped_ising_ring(4, lambda t: couplings["h"], [0.1])
