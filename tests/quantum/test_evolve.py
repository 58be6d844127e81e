"""Wave functions in time: against exact vectors and free fermions, with bounds that hold."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.quantum.dynamics import tangent
from intertwine.quantum.dynamics.certificate import distance_of
from intertwine.quantum.dynamics.evolve import evolution
from intertwine.quantum.dynamics.starts import product_state
from intertwine.quantum.dynamics.trajectory import Trajectory
from intertwine.quantum.entanglement.vectors import state_vector
from intertwine.sampling.enumeration import all_configurations

KEY = jax.random.key(0)
exact = it.quantum.exact


def site_means(N):
    """X and ZZ of neighbours, per site of a ring."""
    X = it.Operator.from_strings(N, [(1 / N, {i: "X"}) for i in range(N)])
    ZZ = it.Operator.from_strings(N, [(1 / N, {i: "Z", (i + 1) % N: "Z"}) for i in range(N)])
    return {"X": X, "ZZ": ZZ}


def vector(model):
    log_psi = np.asarray(jax.vmap(model)(jnp.asarray(all_configurations(model.size))), complex)
    psi = np.exp(log_psi - log_psi.real.max())
    return psi / np.linalg.norm(psi)


def distance(a, b):
    return np.sqrt(max(0.0, 2 - 2 * abs(np.vdot(a, b))))


@pytest.fixture(scope="module")
def ring():
    """A symmetric RBM on a ring of 8 in |+x⟩."""
    bare = it.SymmetricRBM(it.Chain(8), features=8, dtype=complex, key=KEY)
    return it.product_state(bare, "+x", key=KEY)


@pytest.fixture(scope="module")
def quench(ring):
    return it.evolve(
        it.tfim(it.Chain(8), J=1.0, h=0.5), ring, [0.0, 0.5, 1.0], observables=site_means(8), key=KEY
    )


def test_a_quench_follows_free_fermions(quench):
    exact_states = exact.IsingRing(8, h=0.5).quench(quench.times)
    np.testing.assert_allclose(quench["X"], [s.X for s in exact_states], atol=1e-4)
    np.testing.assert_allclose(quench["ZZ"], [s.ZZ(1) for s in exact_states], atol=1e-4)
    np.testing.assert_allclose(quench.energy, -4.0, atol=1e-4)
    np.testing.assert_allclose(quench.variance, 8.0, atol=1e-3)
    assert quench.trusted_until == 1.0 and quench.warnings == ()
    assert "distance to the true state" in str(quench)


def test_its_bound_holds_at_every_time(quench, ring):
    psi = exact.evolve(it.tfim(it.Chain(8), J=1.0, h=0.5), vector(ring), [1.0])[0]
    far = distance(psi, vector(quench.model))
    assert far <= quench.bound[-1] + 1e-9
    assert quench.bound[-1] < 1e-3 and np.all(np.diff(quench.bound) >= 0)


def random_runs(count):
    """Runs of a machine too small for what it follows: (bound, true distance)."""
    rng = np.random.default_rng(7)
    out = []
    for run in range(count):
        key = jax.random.key(run)
        psi = it.RBM(4, hidden=2, dtype=complex, scale=0.3, key=key)
        letters = ["XIII", "IXII", "IIXI", "IIIX", "ZZII", "IZZI", "IIZZ", "ZIIZ", "ZIII", "YIYI"]
        H = it.Operator.from_strings(4, [(float(rng.normal()), s) for s in letters])
        imaginary = run % 4 == 3
        end = 0.3 if imaginary else 0.6
        found = it.quantum.evolution(H, psi, [end], key=key, imaginary=imaginary)
        state, scalars = next(found.iterate(found.start(), 0))
        true = exact.evolve(H, vector(psi), [end], imaginary=imaginary)[0]
        out.append((scalars["bound"], distance(true, vector(state.model))))
    return np.array(out)


@pytest.mark.parametrize("h", [0.5, 1.0])
def test_the_bound_holds_right_after_the_start(h):
    """Where the integrator's error is all of it: the weights have just begun to grow."""
    size, times = 6, np.linspace(0.05, 0.3, 6)
    psi = it.models.model_from_name("symmetric-rbm:4", it.Chain(size), dtype=complex, key=jax.random.key(1))
    start, H = product_state(psi, "+x", key=jax.random.key(2)), it.tfim(it.Chain(size), h=h)
    exact = it.exact.evolve(H, vector(start), times)
    study = evolution(H, start, times, key=jax.random.key(3))
    for true, (state, row) in zip(exact, study.iterate(study.start(), 0), strict=True):
        assert 0 < distance(true, vector(state.model)) <= row["bound"] < 1e-4


def bounds_hold(count):
    pairs = random_runs(count)
    assert np.all(pairs[:, 0] >= pairs[:, 1]), pairs
    assert np.median(pairs[:, 1]) > 1e-4  # the machines are too small indeed
    assert np.median(pairs[:, 0] / pairs[:, 1]) < 30


def test_bounds_hold_where_the_model_is_too_small():
    bounds_hold(4)


@pytest.mark.slow
def test_bounds_hold_always():
    bounds_hold(60)


@pytest.mark.slow
@pytest.mark.parametrize(("h", "accuracy"), [(0.5, 1e-4), (2.0, 1e-4), (1.0, 1e-3)])
def test_quenches_of_a_ring_of_ten(h, accuracy):
    lattice, times = it.Chain(10), [0.25, 0.5, 1.0, 1.5, 2.0, 3.0]
    psi = it.product_state(it.SymmetricRBM(lattice, features=8, dtype=complex, key=KEY), "+x", key=KEY)
    run = it.evolve(it.tfim(lattice, J=1.0, h=h), psi, times, observables=site_means(10), key=KEY)
    states = exact.IsingRing(10, h=h).quench(times)
    np.testing.assert_allclose(run["X"], [s.X for s in states], atol=accuracy)
    np.testing.assert_allclose(run["ZZ"], [s.ZZ(1) for s in states], atol=accuracy)
    np.testing.assert_allclose(run.energy, -10 * h, rtol=1e-3)
    np.testing.assert_allclose(run.variance, 10.0, rtol=2e-2)
    assert run.trusted_until == 3.0


@pytest.mark.slow
def test_all_up_begins_to_move():
    lattice, times = it.Chain(10), [0.25, 0.5, 1.0]
    psi = it.product_state(it.SymmetricRBM(lattice, features=8, dtype=complex, key=KEY), "up", key=KEY)
    H, seen = it.tfim(lattice, J=1.0, h=1.0), site_means(10)
    seen |= {"Z": it.Operator.from_strings(10, [(0.1, {i: "Z"}) for i in range(10)])}
    run = it.evolve(H, psi, times, observables=seen, key=KEY)
    states = exact.evolve(H, "up", times)
    for name, operator in seen.items():
        matrix = operator.to_sparse()
        np.testing.assert_allclose(run[name], [np.vdot(v, matrix @ v).real for v in states], atol=5e-3)


@pytest.mark.slow
def test_a_ring_of_forty_follows_free_fermions():
    lattice, times = it.Chain(40), [0.25, 0.5]
    psi = it.product_state(it.SymmetricRBM(lattice, features=8, dtype=complex, key=KEY), "+x", key=KEY)
    H = it.tfim(lattice, J=1.0, h=0.5)
    run = it.evolve(H, psi, times, observables=site_means(40), key=KEY, samples=4096, observe=100_000)
    states = exact.IsingRing(40, h=0.5).quench(times)
    for name, wanted in (("X", [s.X for s in states]), ("ZZ", [s.ZZ(1) for s in states])):
        assert np.all(np.abs(run[name] - wanted) <= 3 * run.errors[name] + 1e-2)
    assert np.all(np.abs(run.energy + 20) <= 3 * run.energy_error + 0.02)
    assert np.all(np.abs(run.variance - 40) <= 3 * run.history["variance_error"] + 0.8)


def test_imaginary_time_cools_as_the_exact_state_does(ring):
    H, times = it.tfim(it.Chain(8), J=1.0, h=1.0), [0.1, 0.5, 1.5]
    run = it.evolve(H, ring, times, key=KEY, imaginary=True)
    matrix = H.to_sparse()
    wanted = [np.vdot(psi, matrix @ psi).real for psi in exact.evolve(H, "+x", times, imaginary=True)]
    np.testing.assert_allclose(run.energy, wanted, atol=1e-3)


def test_a_real_model_cools_too():
    H = it.tfim(it.Chain(4), J=1.0, h=1.0)
    psi = it.RBM(4, hidden=6, scale=0.1, key=KEY)
    run = it.evolve(H, psi, [0.8], key=KEY, imaginary=True)
    true = exact.evolve(H, vector(psi), [0.8], imaginary=True)[0]
    assert distance(true, vector(run.model)) <= run.bound[-1] < 0.1


def test_a_field_that_is_switched_on(ring):
    """Strings that are absent at t = 0, one structure throughout: nothing is compiled anew."""

    def H(t):
        return it.tfim(it.Chain(8), J=1.0, h=1.5 * t)

    before = tangent._assemble._cache_size()
    run = it.evolve(H, ring, [0.3, 0.6], observables=site_means(8), key=KEY)
    assert tangent._assemble._cache_size() <= before + 1
    states = exact.ramped_ising_ring(8, lambda t: 1.5 * t, [0.3, 0.6])
    np.testing.assert_allclose(run["X"], [s.X for s in states], atol=2e-4)


def test_samples_follow_within_their_errors(ring):
    times = [0.1, 0.2]
    run = it.evolve(
        it.tfim(it.Chain(8), J=1.0, h=0.5), ring, times, observables=site_means(8), key=KEY,
        samples=1024, observe=2048, tolerance=2e-2,
    )  # fmt: skip
    states = exact.IsingRing(8, h=0.5).quench(times)
    for name, wanted in (("X", [s.X for s in states]), ("ZZ", [s.ZZ(1) for s in states])):
        assert np.all(np.abs(run[name] - wanted) <= 3 * run.errors[name] + 1e-2)
    assert np.all(np.abs(run.energy + 4) <= 3 * run.energy_error + 4e-3)


@pytest.mark.parametrize("options", [{"samples": 64, "tolerance": 0.5}, {"tolerance": 1e-3}])
def test_an_interrupted_evolution_gives_the_same_numbers(options):
    """Over samples, and over sums with a field that changes."""
    psi = it.product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "+x", key=KEY)
    fixed = it.tfim(it.Chain(4), J=1.0, h=0.5)
    H = fixed if "samples" in options else lambda t: it.tfim(it.Chain(4), J=1.0, h=0.5 + t)

    def study():
        return evolution(H, psi, [0.01, 0.02, 0.03], key=KEY, **options)

    whole = list(study().iterate(study().start(), 0))
    kept, _ = whole[0]
    leaves, tree = jax.tree.flatten(study().template(1))
    restored = jax.tree.unflatten(tree, jax.tree.leaves(kept))
    assert len(leaves) == len(jax.tree.leaves(kept))
    resumed = list(study().iterate(restored, 1))
    for (_, line), (_, again) in zip(whole[1:], resumed, strict=True):
        np.testing.assert_equal(again | {"seconds": 0}, line | {"seconds": 0})


def test_a_run_goes_on_in_its_frame_and_its_sector():
    """Heisenberg's ground state, found in Marshall's frame at Σ s = 0, under another anisotropy."""
    lattice, times = it.Chain(4), [0.0, 0.2]
    psi = it.SymmetricRBM(lattice, features=4, dtype=complex, key=KEY)
    run = it.ground_state(it.heisenberg(lattice), psi, steps=20, samples=64, key=KEY, compare=False)
    strings = {name: {0: name[0], 1: name[0]} for name in ("XX", "ZZ")}
    seen = {name: it.Operator.from_strings(4, [(1.0, s)]) for name, s in strings.items()}
    H = it.xxz(lattice, 2.0)
    later = it.evolve(H, run, times, observables=seen, key=KEY)
    states = exact.evolve(H.in_frame(()), state_vector(run).amplitudes, times)
    for name, operator in seen.items():
        matrix = operator.to_sparse()
        wanted = [np.vdot(v, matrix @ v).real for v in states]
        np.testing.assert_allclose(later[name], wanted, atol=1e-4)


def test_functions_of_the_model_are_observables(quench, ring):
    H = it.tfim(it.Chain(8), J=1.0, h=0.5)
    start = vector(ring)

    def echo(model):
        return abs(np.vdot(start, vector(model))) ** 2

    run = it.evolve(H, ring, [0.25], observables={"echo": echo}, key=KEY)
    states = exact.IsingRing(8, h=0.5)
    np.testing.assert_allclose(run["echo"], states.polarised().overlap(states.quench([0.25])[0]), atol=1e-4)


def test_products_start_as_told():
    plain = it.RBM(6, hidden=12, dtype=complex, key=KEY)
    for state, most in (("+x", 1e-9), ("-y", 1e-9), ("neel", 3e-6), (np.linspace(0.3, 2.0, 6), 1e-9)):
        psi = it.product_state(plain, state, key=KEY)
        assert it.product_infidelity(psi, state) < most
        assert float(jnp.abs(psi.weights).max()) > 0.01
    large = it.SymmetricRBM(it.Chain(20), features=4, dtype=complex, key=KEY)
    up = it.product_state(large, "up", zeros=1e-4, key=KEY)
    assert it.product_infidelity(up, "up") < 1e-4
    field = float(jnp.real(up.visible_bias[0])) / np.sqrt(20)
    assert 0.3e-4 < 20 * np.exp(-4 * field) < 1.01e-4


def test_a_model_too_small_is_not_trusted_to_the_end():
    psi = it.MeanField(4, dtype=complex, scale=0.0, key=KEY)
    with pytest.warns(Caveat, match="untrusted"):
        run = it.evolve(it.tfim(it.Chain(4), J=1.0, h=0.5), psi, [0.01, 0.5], key=KEY, method="tdvp")
    assert run.trusted_until == 0.01
    assert run.warnings[0].startswith("untrusted")


def test_the_account_is_reached_by_its_name():
    assert it.quantum.dynamics.certificate.TRUSTED == 0.1


def test_distance_of_an_infidelity():
    a, b = np.array([1.0, 0.0]), np.array([np.cos(0.3), np.sin(0.3)])
    np.testing.assert_allclose(distance_of(1 - np.dot(a, b) ** 2), distance(a, b))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"H": it.Operator.from_strings(4, [(1j, "XIII")])}, "Hermitian"),
        ({"times": [0.2, 0.1]}, "times"),
        ({"times": [0.1, 0.1]}, "times"),
        ({"H": it.Operator.from_strings(5, [(1.0, "XIIII")])}, "sites"),
        ({"model": "real"}, "complex amplitudes"),
        ({"method": "magic"}, "method"),
        ({"observables": {"energy": it.Operator.from_strings(4, [(1.0, "XIII")])}}, "observables"),
        ({"samples": -3}, "samples"),
        ({"tolerance": 0.0}, "tolerance"),
    ],
)
def test_bad_input(change, word):
    dtype = float if change.get("model") == "real" else complex
    psi = it.RBM(4, hidden=2, dtype=dtype, key=KEY)
    given = {"H": it.tfim(it.Chain(4)), "model": psi, "times": [0.1], "key": KEY} | change
    given["model"] = psi
    with pytest.raises(it.InputError, match=word):
        it.evolve(given.pop("H"), given.pop("model"), given.pop("times"), **given)


def test_amplitudes_that_are_lost_stop_it_with_the_last_good_state():
    psi = it.RBM(4, hidden=2, dtype=complex, key=KEY)
    broken = eqx.tree_at(lambda m: m.weights, psi, psi.weights * np.nan)
    with pytest.raises(it.Diverged) as caught:
        it.evolve(it.tfim(it.Chain(4)), broken, [0.1], key=KEY)
    assert float(caught.value.state.time) == 0.0


@pytest.mark.parametrize(("state", "word"), [("neel", "symmetry"), ([0.1, 0.2, 0.3, 0.4], "symmetry")])
def test_a_symmetric_model_has_symmetric_starts(state, word):
    psi = it.SymmetricRBM(it.Chain(4), features=2, dtype=complex, key=KEY)
    with pytest.raises(it.InputError, match=word):
        it.product_state(psi, state, key=KEY)


def test_a_deeper_network_begins_in_a_product_and_follows():
    """Group convolutions of two layers from |+x⟩ at the critical field; what they cannot begin in is told."""
    ring = it.Chain(6)
    deep = it.GCNN(ring, layers=2, features=3, group="translations", dtype=complex, key=KEY)
    psi = it.product_state(deep, "+x", key=KEY)
    assert it.product_infidelity(psi, "+x") < 1e-9 and float(jnp.abs(psi.kernels[-1]).max()) > 0
    run = it.evolve(it.tfim(ring), psi, [0.0, 0.5], observables=site_means(6), key=KEY)
    np.testing.assert_allclose(
        run["X"], [s.X for s in exact.IsingRing(6, h=1.0).quench(run.times)], atol=1e-4
    )
    flat = it.GCNN(ring, layers=1, features=3, dtype=complex, key=KEY)
    for model, state, word in ((deep, "up", "an RBM"), (flat, "+x", "two layers")):
        with pytest.raises(it.InputError, match=word):
            it.product_state(model, state, key=KEY)


def test_samples_qualify_their_bound():
    """It leaves out what no sample has met, and says so; few samples are refused."""
    psi = product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "+x", key=KEY)
    H = it.tfim(it.Chain(4), h=0.7)
    with pytest.warns(Caveat, match="unjudged: over samples the bound"):
        run = it.evolve(H, psi, [0.02], samples=64, key=KEY)
    assert any(line.startswith("unjudged") for line in run.warnings)
    with pytest.raises(it.InputError, match="samples: expected at least 32"):
        it.evolve(H, psi, [0.02], samples=1, key=KEY)


def bounds_over_samples(runs):
    """(bound, distance) of runs over samples, away from zeros of ψ."""
    found = []
    for seed in range(runs):
        key, size = jax.random.key(seed), (5, 6)[seed % 2]
        bare = it.RBM(size, hidden=2 * size, dtype=complex, key=key)
        H = it.tfim(it.Chain(size), h=(0.5, 0.7, 1.0)[seed % 3])
        study = evolution(
            H, product_state(bare, "+x", key=key), [0.15, 0.3], key=key, samples=512, observe=64
        )
        for true, (state, row) in zip(
            exact.evolve(H, "+x", study.times), study.iterate(study.start(), 0), strict=True
        ):
            found.append((row["bound"], distance(true, vector(state.model))))
    return np.array(found)


@pytest.mark.slow
def test_bounds_over_samples_hold_away_from_zeros():
    found = bounds_over_samples(1)
    assert np.all(found[:, 0] >= found[:, 1]) and np.all(found[:, 0] < 5e-2)


@pytest.mark.slow
def test_bounds_over_samples_hold_in_twenty_runs():
    found = bounds_over_samples(20)
    assert np.all(found[:, 0] >= found[:, 1]) and np.median(found[:, 0] / found[:, 1]) < 30


def test_the_noise_of_a_velocity_is_seen_by_other_samples():
    """r of a sampled velocity over all configurations, and over fresh ones, blurred or not."""
    size, H = 6, it.tfim(it.Chain(6), h=0.7)
    psi = it.RBM(size, hidden=3, dtype=complex, scale=0.4, key=KEY)
    every = evolution(H, psi, [0.1], key=KEY).source.draw(psi, None, KEY)[0]
    sampled = evolution(H, psi, [0.1], key=KEY, samples=4096).source
    assert sampled.blur > 0
    chains = sampled.start(psi, KEY)
    first, chains, _ = sampled.draw(psi, chains, jax.random.key(1))
    fresh, _, _ = sampled.draw(psi, chains, jax.random.key(2))
    regular = tangent.Regular()
    found = tangent.velocity(H, psi, first, exact=False, regular=regular)
    true = tangent.velocity(H, psi, every, exact=True, regular=regular).missed(found.vector)
    again = tangent.velocity(H, psi, fresh, exact=False, regular=regular).missed(found.vector)
    assert again == pytest.approx(true, rel=0.05) and found.residual == pytest.approx(true, rel=0.05)
    best = tangent.velocity(H, psi, every, exact=True, regular=regular)
    assert best.missed(best.vector) == pytest.approx(best.residual, rel=1e-6) and true > best.residual


def test_a_start_counts_with_its_distance():
    """From |↑…↑⟩, which finite fields stand for."""
    psi = product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "up", zeros=1e-4, key=KEY)
    H = it.tfim(it.Chain(4), h=0.7)
    run = it.evolve(H, psi, [0.0, 0.05], key=KEY)
    far = np.sqrt(it.product_infidelity(psi, "up"))
    assert run.bound[0] == pytest.approx(far, rel=1e-3) and far == pytest.approx(1e-2, rel=0.5)
    true = exact.evolve(H, "up", [0.05])[0]
    assert distance(true, vector(run.model)) <= run.bound[1]


def test_an_energy_that_moves_is_not_trusted():
    times, energy = np.linspace(0, 1, 5), np.array([-4.0, -4.001, -4.002, -3.5, -3.0])
    zeros = np.zeros(5)
    run = Trajectory(
        times, {}, {}, energy, np.full(5, 0.01), zeros, zeros, zeros, zeros, zeros, None, "tdvp", "",
        {"steps": zeros}, conserved=True,
    )  # fmt: skip
    assert run.trusted_until == 0.5 and "the energy, which stays, has moved" in run.warnings[0]


@pytest.mark.parametrize(
    "observable, words",
    [
        (it.Operator.from_strings(4, [(1.0, {0: "X"}), (1j, {0: "Y"})]), "expected a Hermitian operator"),
        (lambda model: 1j, "expected a real number"),
        (lambda model: np.ones(3), "expected one number"),
    ],
)
def test_observables_are_real_numbers(observable, words):
    psi = product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "+x", key=KEY)
    with pytest.raises(it.InputError, match=words):
        it.evolve(it.tfim(it.Chain(4), h=0.7), psi, [0.0], observables={"A": observable}, key=KEY)


def test_product_states_are_those_of_the_sites_whatever_the_frame_of_H():
    """|+x⟩ stays as it is under a Heisenberg Hamiltonian, with Marshall's signs or without."""
    ring, X = it.Chain(4), it.Operator.from_strings(4, [(1.0, {0: "X"})])
    psi = product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "+x", key=KEY)
    for marshall in (False, True):
        H = it.heisenberg(ring, marshall=marshall)
        run = it.evolve(H, psi, [0.0, 0.2], observables={"X": X}, key=KEY)
        np.testing.assert_allclose(run["X"], 1.0, atol=1e-4)
        np.testing.assert_allclose(run.energy, 4.0, atol=1e-3)
        last = it.exact.evolve(H, "+x", [0.2])[0]
        seen = X.in_frame(H.turned).to_sparse()
        assert np.vdot(last, seen @ last).real == pytest.approx(1.0, abs=1e-9)
