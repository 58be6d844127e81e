"""The state knows its space: what is measured, where and in which frame, against dense matrices."""

import pickle

import jax
import numpy as np
import optax
import pytest
from dense_oracle import random_strings

import intertwine as it
from intertwine._checks import InputError
from intertwine.learning.loop import TrainState
from intertwine.quantum.confined import confined
from intertwine.quantum.space_choice import default_sampler, ground_magnetization
from intertwine.quantum.vmc.energy import qualified
from intertwine.sampling.enumeration import configuration_numbers

SIZE = 6
LATTICE = it.Chain(SIZE)
H = it.heisenberg(LATTICE)


def _op(*strings):
    return it.Operator.from_strings(SIZE, strings)


ZZ, XX, X0 = _op((1.0, "ZZIIII")), _op((1.0, "XXIIII")), _op((1.0, "XIIIII"))
TOTAL = sum(_op((1.0, {i: "Z"})) for i in range(SIZE))


@pytest.fixture(scope="module")
def run():
    key = jax.random.key(0)
    return it.ground_state(H, it.RBM(SIZE, hidden=SIZE, key=key), steps=80, samples=256, key=key)


def _exact(operator):
    _, psi = it.exact.ground_state(it.heisenberg(LATTICE, marshall=False))
    return float(np.real(psi.conj() @ operator.to_dense() @ psi))


@pytest.mark.parametrize("name", ["ZZ", "XX", "H", "H as written"])
def test_a_run_is_measured_where_it_was_trained(run, name, key):
    operator = {"ZZ": ZZ, "XX": XX, "H": H, "H as written": it.heisenberg(LATTICE, marshall=False)}[name]
    exact = _exact(operator if name != "H" else it.heisenberg(LATTICE, marshall=False))
    copy = pickle.loads(pickle.dumps(run.model))
    for found in (run.expect(operator), *(it.expect(operator, x, key=key) for x in (run, run.model, copy))):
        assert abs(found.mean - exact) < 4 * found.error + 2e-3 and found.error < 0.05


def test_what_leads_out_of_the_space_is_exactly_zero(run, key):
    for operator in (TOTAL @ TOTAL, TOTAL, X0, _op((1.0, "XIIIII"), (0.3, "IXXXII"))):
        for found in (run.expect(operator), it.expect(operator, run.model, key=key)):
            assert found.mean == 0 and found.error == 0


def test_drawing_from_a_run_is_drawing_from_its_space(run, key):
    drawn = np.asarray(it.sample(run.model, 50, key=key))
    assert drawn.shape == (50, SIZE) and np.all(drawn.sum(axis=1) == 0)


def test_a_bare_model_stands_for_all_configurations_and_says_so(run, key):
    bare = jax.tree.map(lambda x: x, run.model)
    found = it.expect(H, bare, samples=20000, key=key)
    whole = it.expect(H, bare, key=key, sampler=it.Enumeration()).mean
    assert abs(found.mean - whole) < 4 * found.error
    assert [line.partition(":")[0] for line in found.warnings if "magnetization" in line] == ["assumption"]


def test_frames_of_sums_and_products():
    field = _op(*((0.3 * i, {i: "X"}) for i in range(SIZE)))
    plain = it.heisenberg(LATTICE, marshall=False)
    wanted = np.linalg.eigvalsh(plain.to_dense() + field.to_dense())
    for total in (H + field, field + H, plain + field):
        np.testing.assert_allclose(np.linalg.eigvalsh(total.to_dense()), wanted, atol=1e-12)
    square = np.linalg.eigvalsh((field @ plain @ field).to_dense())
    np.testing.assert_allclose(np.linalg.eigvalsh((field @ H @ field).to_dense()), square, atol=1e-12)
    assert (H - plain).n_strings == 0 and H.in_frame(()).is_close(plain)


@pytest.mark.parametrize("magnetization", [0, 2, -4])
def test_confined_is_the_block_of_the_matrix(magnetization):
    strings = [*random_strings(SIZE, seed=3), (0.7, "XXXXXX"), (0.4, "XYXXYZ"), (0.2, "ZXIIII")]
    operator = _op(*strings)
    inside = configuration_numbers(SIZE, magnetization)
    block = np.ix_(inside, inside)
    found = confined(operator, (magnetization,))
    np.testing.assert_allclose(found.to_dense()[block], operator.to_dense()[block], atol=1e-12)
    outside = np.setdiff1d(np.arange(2**SIZE), inside)
    assert not np.any(found.to_dense()[np.ix_(outside, inside)])


def test_sampling_that_keeps_what_the_operator_does_not_is_told(key):
    """Within Σ s = 0 the lowest state of P H P is found, an upper bound; it is told."""
    tfim, sampler = it.tfim(LATTICE, h=0.5), it.Metropolis(it.Exchange(), chains=32)
    run = it.ground_state(tfim, it.RBM(SIZE, hidden=4, key=key), 30, 128, sampler=sampler, key=key)
    inside = configuration_numbers(SIZE, 0)
    lowest = np.linalg.eigvalsh(tfim.to_dense()[np.ix_(inside, inside)])[0]
    assert run.energy.mean > lowest - 4 * run.energy.error - 1e-9
    assert any("keeps to Σ s = 0" in line for line in run.warnings)


HAMILTONIANS = {
    "heisenberg": (H, 0),
    "ferromagnet": (it.heisenberg(LATTICE, J=-1.0), 0),
    "odd ring": (it.heisenberg(it.Chain(5)), 1),
    "triangles": (it.heisenberg(it.Triangular(2, 3)), 0),
    "j1j2": (it.j1j2(LATTICE, J2=0.4), 0),
    "easy plane": (it.xxz(LATTICE, delta=-0.9), 0),
    "easy axis": (it.xxz(LATTICE, delta=-2.0), None),
    "frustrated plane": (it.xxz(it.Triangular(2, 3), delta=-0.9), None),
    "field": (H + 0.5 * TOTAL, None),
    "tfim": (it.tfim(LATTICE), None),
    "classical": (_op((1.0, "ZZIIII")), None),
}


@pytest.mark.parametrize("name", list(HAMILTONIANS))
def test_the_space_of_the_search_has_the_ground_state(name):
    operator, expected = HAMILTONIANS[name]
    assert ground_magnetization(operator) == expected
    if expected is not None:
        inside = configuration_numbers(operator.size, expected)
        matrix = operator.to_dense()
        lowest = np.linalg.eigvalsh(matrix[np.ix_(inside, inside)])[0]
        assert lowest == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-10)
    assert default_sampler(operator, 64).rule.reaches_all(operator.size)


def test_moves_that_leave_parts_apart_are_refused_and_never_chosen(key):
    bonds = [(0, 1), (2, 3), (4, 5)]
    dimers = _op(*((1.0, {i: p, j: p}) for i, j in bonds for p in "XYZ"))
    model = it.RBM(SIZE, hidden=4, key=key)
    for rule in (it.Exchange(bonds), it.GlobalFlip()):
        with pytest.raises(InputError, match="never meet"):
            it.Metropolis(rule, chains=4).init(model, key=key)
    it.Metropolis(it.Mixture([(it.Exchange(bonds), 1), (it.SingleFlip(), 1)]), chains=4).init(model, key=key)
    found = it.expect(dimers, model, samples=20000, key=key, sampler=default_sampler(dimers, 512))
    exact = it.expect(dimers, model, key=key, sampler=it.Enumeration(0)).mean
    assert abs(found.mean - exact) < 4 * found.error


def test_one_chain_and_heavy_tails_are_told(key):
    model = it.RBM(SIZE, hidden=4, key=key)
    one = it.expect(ZZ, model, 256, key=key, sampler=it.Metropolis(it.SingleFlip(), chains=1))
    assert any(line.startswith("unjudged") for line in one.warnings)
    values = np.zeros((16, 64))
    values[3, 5] = 1.0
    plain = it.estimate(values)
    found = qualified(plain, values)
    assert found.error > plain.error and any("heavy tails" in line for line in found.warnings)


def test_error_bars_of_heavy_tails_cover(key):
    """Rare spikes, four among 8192 values on average: the widened error bars are honest."""
    rng = np.random.default_rng(0)
    pulls, plain = [], []
    for _ in range(150):
        values = (rng.random((16, 512)) < 4 / 8192).astype(float)
        bare = it.estimate(values)
        found = qualified(bare, values)
        if found.error > 0:
            pulls.append((found.mean - 4 / 8192) / found.error)
            plain.append((bare.mean - 4 / 8192) / bare.error)
    assert np.std(pulls) < 0.9 < 1.0 < np.std(plain)


def test_optax_stop_and_going_on(run, key):
    model, H1 = it.RBM(SIZE, hidden=4, key=key), it.tfim(LATTICE)
    options = {"samples": 64, "final_samples": 64, "key": key}

    def stop(state, scalars):
        if state.step == 3:
            raise StopIteration

    short = it.ground_state(H1, model, steps=10, optimiser=optax.adam(0.01), progress=stop, **options)
    assert len(short.history["energy"]) == 3 and short.state.step == 3
    with pytest.raises(InputError, match="optimiser"):
        it.ground_state(H1, model, steps=2, optimiser="adam", **options)

    mover = it.NaturalGradient(0.02, momentum=0.8)
    whole = it.ground_state(H1, model, steps=4, optimiser=mover, **options)
    half = it.ground_state(H1, model, steps=2, optimiser=mover, **options)
    rest = it.ground_state(H1, model, steps=2, optimiser=mover, state=half.state, **options)
    np.testing.assert_array_equal(rest.history["energy"], whole.history["energy"][2:])
    seen: list[TrainState] = []
    on = it.ground_state(
        H1, half.model, steps=1, optimiser=mover, progress=lambda now, _: seen.append(now), **options
    )
    assert on.state.step == 1 and abs(on.history["energy"][0] - whole.history["energy"][2]) < 2.0
    assert len(repr(run)) < 250 and float(run.energy) == run.energy.mean


def test_algebra_as_users_write_it():
    text = _op((1.0, "XXIIII"), (0.5, "IIZYII"))
    assert text.is_close(_op((1.0, {0: "X", 1: "X"}), (0.5, {2: "Z", 3: "Y"})))
    a, b = _op(*random_strings(SIZE, seed=1)), _op(*random_strings(SIZE, seed=2))
    A, B = a.to_dense(), b.to_dense()
    np.testing.assert_allclose((a @ b).to_dense(), A @ B, atol=1e-12)
    np.testing.assert_allclose(sum([a, b]).to_dense(), A + B, atol=1e-12)
    np.testing.assert_allclose((2.0 - a + 1).to_dense(), 3 * np.eye(2**SIZE) - A, atol=1e-12)
    with pytest.raises(InputError, match="6 letters"):
        _op((1.0, "XX"))
    with pytest.raises(InputError, match="letter"):
        _op((1.0, "XXQIII"))
    with pytest.raises(InputError, match="@"):
        a * b


@pytest.mark.parametrize(
    ("hamiltonian", "lattice"),
    [
        ({"name": "heisenberg"}, "chain:6"),
        ({"name": "heisenberg"}, "chain:5"),
        ({"name": "xxz", "delta": -2.0}, "chain:6"),
        ({"name": "xxz", "delta": -0.9}, "triangular:2x3"),
        ({"name": "tfim", "h": 0.3}, "chain:6"),
        ({"name": "j1j2"}, "square:2x4"),
    ],
)
def test_the_command_samples_as_the_library_does(hamiltonian, lattice):
    from intertwine.experiments.ground_state.build import build_hamiltonian, build_sampler
    from intertwine.experiments.ground_state.places import build_lattice
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration

    configuration = GroundStateConfiguration(lattice=lattice, hamiltonian=hamiltonian)
    operator = build_hamiltonian(configuration, build_lattice(lattice))
    assert build_sampler(configuration, operator) == default_sampler(operator, 1024)
