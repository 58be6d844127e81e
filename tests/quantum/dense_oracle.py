"""Dense oracles built with np.kron alone, and the random Hamiltonians that the quantum tests share."""

import functools

import numpy as np

PAULI = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]], complex),
    "Z": np.array([[1, 0], [0, -1]], complex),
}


def dense_string(size, letters):
    """The 2^N × 2^N matrix of one Pauli string, site 0 leftmost."""
    return functools.reduce(np.kron, [PAULI[letters.get(i, "I")] for i in range(size)])


def dense_sum(size, strings):
    """The dense matrix of Σ coefficient · string."""
    return sum((c * dense_string(size, p) for c, p in strings), np.zeros((2**size, 2**size), complex))


def random_strings(size, seed, *, real=False, terms=24):
    """Fields, two- and three-body strings with random real coefficients (so the sum is Hermitian)."""
    rng = np.random.default_rng(seed)
    strings = [(rng.normal(), {i: rng.choice(list("XZ") if real else list("XYZ"))}) for i in range(size)]
    while len(strings) < terms:
        sites = rng.choice(size, size=rng.integers(2, 4), replace=False)
        letters = {int(i): str(rng.choice(list("XYZ"))) for i in sites}
        if real and list(letters.values()).count("Y") % 2:
            continue
        strings.append((rng.normal(), letters))
    strings += [(rng.normal(), {0: "X", 1: "Y", 2: "Z"})] if not real else []
    return [*strings, (rng.normal(), {0: "Y", 3: "Y"}), (rng.normal(), {})]


def all_spins(size):
    """Every configuration (2^N, N), int8 ±1, in the basis order: site 0 most significant, bit 0 ↔ +1."""
    bits = (np.arange(2**size)[:, None] >> np.arange(size - 1, -1, -1)[None, :]) & 1
    return (1 - 2 * bits).astype(np.int8)
