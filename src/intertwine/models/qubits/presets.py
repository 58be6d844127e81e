r"""Circuits by name: hardware-efficient, QAOA, and the Hamiltonian variational ansatz.

    hardware-efficient   D times (R_y and R_z on every qubit, controlled signs on the bonds), and rotations at
                         the end (Kandala et al., Nature 549, 242 (2017))
    qaoa                 Π_k e^{iβ_k ΣX} e^{−iγ_k Σ_⟨ij⟩ w_ij ZZ} |+⟩: for the largest cut of a graph (Farhi,
                         Goldstone & Gutmann 2014)
    hva                  Π_k Π_g e^{−iλ_kg H_g} |+⟩ with H = Σ_g H_g, the terms of one Pauli word a group
                         (Wecker, Hastings & Troyer, PRA 92, 042303 (2015))

On a ring of N sites QAOA of depth p < N/2 cuts (2p+1)/(2p+2) of the bonds at its best angles, and the
Hamiltonian variational ansatz of the transverse-field Ising ring is exact at p = N/2 (Mbeng, Fazio & Santoro
2019). Angles begin along a ramp, as annealing goes: λ of the transverse field falls, all others rise, in
steps that turn a qubit by about a radian.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail, positive_int
from intertwine.models.parameters import check_key, check_scale, parameter_dtype
from intertwine.models.qubits.circuit import Circuit, check_qubits
from intertwine.models.qubits.gates import Gate, Layer, cz, layer, rotation, rx, ry, rz, rzz, z

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

RAMP = 0.75
"""Time of a step over the coefficients a site of the strongest group. On a ring π/8 for both generators is
best at p = 1: the middle of the ramp."""
_LARGEST = 1000

Strings = Iterable[tuple[complex, Mapping[int, str]]]


def hardware_efficient(
    lattice: int | Lattice, depth: int, *, scale: float = 0.1, dtype: DTypeLike = float, key: Array
) -> Circuit:
    """`depth` layers of R_y and R_z on every qubit and controlled signs on the bonds, and rotations at the
    end: 2N(depth + 1) parameters, normal of standard deviation `scale`.

    lattice: whose bonds are the pairs; a number of qubits for an open line.

    >>> from intertwine.models.parameters import count_parameters
    >>> count_parameters(hardware_efficient(4, 3, key=jax.random.key(0)))
    32
    """
    size, bonds, _ = _pairs(lattice)
    turns = [gate(w) for w in range(size) for gate in (ry, rz)]
    rows = [layer([*turns, *(cz(*pair) for pair in bonds)], _depth(depth)), layer(turns)]
    return Circuit(size, rows, scale=scale, dtype=dtype, key=key)


def qaoa(
    lattice: int | Lattice, depth: int, *, scale: float = 0.01, dtype: DTypeLike = float, key: Array
) -> Circuit:
    """QAOA of depth p for Σ_⟨ij⟩ w_ij Z_i Z_j on the bonds of a lattice or graph: 2p parameters, (γ_k, β_k)
    a row, along a ramp with normal noise of standard deviation `scale`.

    >>> qaoa(4, 1, scale=0.0, key=jax.random.key(0)).parameters[0].tolist()
    [[0.375, 0.375]]
    """
    size, bonds, weights = _pairs(lattice)
    cost = [rzz(a, b, "gamma", factor=2 * w) for (a, b), w in zip(bonds, weights, strict=True)]
    if not cost:
        raise fail("lattice", "one with bonds", lattice)
    gates = [*cost, *(rx(w, "beta", factor=-2.0) for w in range(size))]
    strength = sum(map(abs, weights)) / size
    steps = [RAMP / max(strength, 1.0)] * 2
    return _ramped(size, (), gates, steps, _depth(depth), scale, dtype, key)


def hamiltonian_variational(
    size: int, strings: Strings, depth: int, *, scale: float = 0.01, dtype: DTypeLike = float, key: Array
) -> Circuit:
    """The Hamiltonian variational ansatz of depth p for H = Σ_t c_t P_t, with one λ a layer for the terms of
    each Pauli word, coefficients divided by the largest one: e^{−iλ Σ c_t P_t / max |c|}. It begins in the
    ground state of the transverse field.

    strings: pairs (c, {site: letter}), as `Operator.strings()` gives them. Raises InputError where no term is
    a field along x, whose ground state is the start, and for coefficients that are not real.

    >>> ising = [(-1.0, {0: "Z", 1: "Z"}), (-0.5, {0: "X"}), (-0.5, {1: "X"})]
    >>> hamiltonian_variational(2, ising, 3, key=jax.random.key(0)).layers[0].parameters
    ('ZZ', 'X')
    """
    groups: dict[str, list[tuple[float, dict[int, str]]]] = {}
    for coefficient, letters in strings:
        if abs(complex(coefficient).imag) > 1e-12 * abs(coefficient):
            raise fail("operator", "a Hermitian operator", f"a string with coefficient {coefficient}")
        if letters and coefficient:
            word = "".join(letters[w] for w in sorted(letters))
            groups.setdefault(word, []).append((complex(coefficient).real, dict(letters)))
    field = groups.pop("X", None)
    if not field:
        remedy = "take hardware-efficient:DEPTH"
        raise fail("operator", "one with a transverse field, whose ground state is the start", "none", remedy)
    words = sorted(groups, key=lambda word: (set(word) != {"Z"}, word))
    gates: list[Gate] = []
    for word in [*words, "X"]:
        terms = field if word == "X" else groups[word]
        largest = max(abs(c) for c, _ in terms)
        for c, letters in terms:
            wires = sorted(letters)
            pauli = "".join(letters[w] for w in wires)
            gates.append(rotation(pauli, wires, word, factor=2 * c / largest))
    groups["X"] = field
    most = max(sum(abs(c) for c, _ in terms) for terms in groups.values()) / check_qubits(size)
    steps = [RAMP * max(abs(c) for c, _ in groups[word]) / most for word in (*words, "X")]
    turned = [z(w) for c, letters in field for w in letters if c > 0]
    return _ramped(size, turned, gates, steps, _depth(depth), scale, dtype, key)


def transverse_ising(lattice: int | Lattice) -> tuple[int, list[tuple[complex, dict[int, str]]]]:
    """(qubits, strings) of −Σ ZZ − ΣX on the bonds of a lattice.

    >>> transverse_ising(2)
    (2, [(-1.0, {0: 'Z', 1: 'Z'}), (-1.0, {0: 'X'}), (-1.0, {1: 'X'})])
    """
    size, bonds, weights = _pairs(lattice)
    pairs = [(-w, {a: "Z", b: "Z"}) for (a, b), w in zip(bonds, weights, strict=True)]
    return size, [*pairs, *((-1.0, {w: "X"}) for w in range(size))]


def _ramped(
    size: int,
    first: Iterable[Gate],
    gates: list[Gate],
    steps: list[float],
    depth: int,
    scale: float,
    dtype: DTypeLike,
    key: Array,
) -> Circuit:
    """Layers that begin in |+⟩; the angle of the last name falls from `steps`, all others rise to it."""
    rows: list[Layer] = [layer(gates, depth)]
    kind, last = parameter_dtype(dtype), len(steps) - 1
    up = (np.arange(depth) + 0.5) / depth
    angles = np.stack([step * (1 - up if k == last else up) for k, step in enumerate(steps)], axis=1)
    noise = check_scale(scale) * jax.random.normal(check_key(key), angles.shape, kind)
    parameters = [jnp.asarray(angles, kind) + noise]
    if before := tuple(first):
        rows.insert(0, layer(before))
        parameters.insert(0, jnp.zeros((1, 0), kind))
    return Circuit(size, rows, start="plus", parameters=parameters, dtype=dtype)


def _pairs(lattice: object) -> tuple[int, list[tuple[int, int]], list[float]]:
    """(qubits, pairs, weight of each) of a lattice, a graph or an open line of so many."""
    if not hasattr(lattice, "bonds"):
        size = check_qubits(getattr(lattice, "size", lattice))
        pairs = [(k, k + 1) for k in range(size - 1)]
        return size, pairs, [1.0] * len(pairs)
    place: Any = lattice
    size = check_qubits(place.size)
    bonds = [(int(a), int(b)) for a, b in place.bonds()]
    weights = place.bond_weights() if hasattr(place, "bond_weights") else None
    given = [1.0] * len(bonds) if weights is None else [float(w) for w in weights]
    return size, bonds, given


def _depth(depth: object) -> int:
    found = positive_int("depth", depth, "give the number of layers, for example 4")
    if found > _LARGEST:
        raise fail("depth", f"at most {_LARGEST} layers", found)
    return found
