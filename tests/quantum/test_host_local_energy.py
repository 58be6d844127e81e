"""Local energies on the host equal those written down from the dense matrix of the operator."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.kernels import host_tables
from intertwine.models.protocols import SpinForm
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc import host_local_energy, host_operator

SIZE = 7


def random_operator(letters: str, terms: int, length: int, is_complex: bool, seed: int = 5, size: int = SIZE):
    rng = np.random.default_rng(seed)
    strings = []
    for _ in range(terms):
        sites = rng.choice(size, length, replace=False)
        coefficient = rng.normal() + (1j * rng.normal() if is_complex else 0)
        strings.append((coefficient, {int(i): str(rng.choice(list(letters))) for i in sites}))
    return Operator.from_strings(size, strings)


OPERATORS = {
    "fields": random_operator("XYZ", 12, 1, False),
    "pairs XX YY ZZ": random_operator("XYZ", 30, 2, False),
    "XX": random_operator("X", 12, 2, False),
    "three-body": random_operator("XYZ", 20, 3, False),
    "five-body": random_operator("XYZ", 10, 5, False),
    "all sites": random_operator("X", 1, 7, False),
    "not Hermitian": random_operator("XYZ", 20, 2, True),
    "diagonal": random_operator("Z", 10, 2, False),
    "XYZ": random_operator("XYZ", 10, 1, False)
    + random_operator("XYZ", 20, 2, False)
    + random_operator("XYZ", 10, 3, False),
    "exchange": Operator.from_strings(
        SIZE, [(1.0, {i: c, (i + 1) % SIZE: c}) for i in range(SIZE) for c in "XYZ"]
    ),
}
FORMS = {
    "real rbm": {"hidden": 9},
    "complex rbm": {"hidden": 21, "is_complex": True},
    "real jastrow": {"hidden": 0, "coupling": True},
    "complex jastrow": {"hidden": 0, "coupling": True, "is_complex": True},
    "real rbm and jastrow": {"hidden": 5, "coupling": True},
    "complex rbm and jastrow": {"hidden": 5, "coupling": True, "is_complex": True},
    "mean field": {"hidden": 0},
    "large weights": {"hidden": 4, "scale": 20.0},
    "large complex weights": {"hidden": 4, "scale": 20.0, "is_complex": True},
    "many equal units": {"hidden": 900, "shift": 0.2, "scale": 0.05},
    "at a pole": {"hidden": 6, "shift": 0.25j * np.pi, "scale": 0.02},
}


def make_form(
    hidden=4, scale=0.3, coupling=False, is_complex=False, shift=0.0, size=SIZE, seed=3
) -> SpinForm:
    rng = np.random.default_rng(seed)

    def draw(*shape):
        x = scale * rng.normal(size=shape)
        return x + 1j * scale * rng.normal(size=shape) if is_complex or np.iscomplexobj(shift) else x

    pair = None
    if coupling:
        pair = draw(size, size)
        pair = pair + pair.T
        np.fill_diagonal(pair, 0)
    return SpinForm(draw(), draw(size), pair, draw(hidden), draw(size, hidden) + shift)


def log_amplitudes(form: SpinForm, s: np.ndarray) -> np.ndarray:
    """log ψ written down directly."""
    s = s.astype(float)
    theta = form.hidden_bias + s @ form.weights
    if np.iscomplexobj(theta):
        sign = np.where(theta.real > 0, 1, -1)
        units = sign * theta + np.log1p(np.exp(-2 * sign * theta))
    else:
        units = np.logaddexp(theta, -theta)
    pair = 0 if form.coupling is None else 0.5 * np.einsum("bi,ij,bj->b", s, form.coupling, s)
    return form.constant + s @ form.field + pair + units.sum(axis=1)


def expected(operator: Operator, form: SpinForm, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ_{s'} ⟨s|H|s'⟩ ψ(s')/ψ(s) from the dense matrix, and the sum of absolute values (the scale of
    rounding).
    """
    states = np.array(list(itertools.product([1, -1], repeat=operator.size)), np.int8)
    matrix = operator.to_dense()
    logs = log_amplitudes(form, states)
    rows = (s < 0) @ (1 << np.arange(operator.size)[::-1])
    terms = matrix[rows] * np.exp(np.where(matrix[rows] != 0, logs[None, :] - logs[rows][:, None], 0))
    return terms.sum(axis=1), np.abs(terms).sum(axis=1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_equals_the_dense_path(operator, form):
    H, f = OPERATORS[operator], make_form(**FORMS[form])
    s = np.random.default_rng(0).choice([1, -1], (40, SIZE)).astype(np.int8)
    got = host_local_energy.local_values(H, f, s)
    want, scale = expected(H, f, s)
    assert got.shape == (40,)
    assert np.iscomplexobj(got) == (np.iscomplexobj(want))
    assert np.all(np.abs(got - want) <= 1e-12 * scale)


@pytest.mark.parametrize("limit", [0, 1 << 24])
def test_composed_flips_equal_rows(limit, monkeypatch):
    """Without rows for pairs, they are composed of their sites: the same numbers."""
    monkeypatch.setattr(host_tables, "MAX_PAIR_BYTES", limit)
    s = np.random.default_rng(1).choice([1, -1], (10, SIZE)).astype(np.int8)
    for form in ("real rbm", "complex rbm"):
        f = make_form(**FORMS[form])
        want, scale = expected(OPERATORS["XYZ"], f, s)
        assert np.all(np.abs(host_local_energy.local_values(OPERATORS["XYZ"], f, s) - want) <= 1e-12 * scale)


def test_elements_of_many_spins():
    """An element that depends on more spins than a table holds is evaluated term by term, a sign that all
    its terms share apart."""
    H = Operator.from_strings(
        12,
        [
            (0.7, {i: "Y" for i in range(12)}),
            (0.2, {0: "X"}),
            (0.4, {0: "X", **{i: "Z" for i in range(1, 12)}}),
        ],
    )
    f = make_form(size=12, hidden=5)
    s = np.random.default_rng(1).choice([1, -1], (9, 12)).astype(np.int8)
    assert (host_operator.prepare(H).offsets < 0).tolist() == [False, True]
    want, scale = expected(H, f, s)
    assert np.all(np.abs(host_local_energy.local_values(H, f, s) - want) <= 1e-12 * scale)


def test_huge_weights_stay_numbers():
    """Where products leave the range of floating-point numbers, logarithms do it; only what is beyond
    float64 is infinite.
    """
    H = OPERATORS["pairs XX YY ZZ"]
    s = np.random.default_rng(1).choice([1, -1], (20, SIZE)).astype(np.int8)
    for is_complex in (False, True):
        for scale in (1.0, 8.0, 60.0, 1000.0):
            values = host_local_energy.local_values(
                H, make_form(hidden=40, scale=scale, is_complex=is_complex), s
            )
            assert not np.isnan(values).any()


def test_threads_do_not_change_numbers():
    H, f = OPERATORS["XYZ"], make_form(**FORMS["complex rbm"])
    s = np.random.default_rng(1).choice([1, -1], (300, SIZE)).astype(np.int8)
    results = []
    for threads in (1, 2, 3):
        with _threads.limit(threads):
            results.append(host_local_energy.local_values(H, f, s))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_operator_is_prepared_once_and_forgotten():
    H = random_operator("XYZ", 5, 2, False, seed=9)
    assert host_operator.prepare(H) is host_operator.prepare(H)
    name = id(H)
    del H
    gc.collect()
    assert name not in host_operator._prepared


def test_sizes_are_checked():
    with pytest.raises(InputError, match="configurations"):
        host_local_energy.local_values(OPERATORS["XX"], make_form(), np.ones((3, SIZE + 1), np.int8))
    with pytest.raises(InputError, match="configurations"):
        host_local_energy.local_values(OPERATORS["XX"], make_form(size=4), np.ones((3, SIZE), np.int8))
