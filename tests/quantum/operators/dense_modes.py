"""Dense operators on modes by np.kron alone, fermions by an explicit Jordan-Wigner string; and the rows of a
space in the full basis."""

import functools

import numpy as np


def kron(factors):
    return functools.reduce(np.kron, factors)


def on_mode(space, mode, matrix, string=False):
    """A one-mode matrix on the whole system, with parities of the fermionic modes before it."""
    factors = [np.eye(d, dtype=complex) for d in space.levels]
    if string:
        for i in range(mode):
            if space.fermionic[i]:
                factors[i] = np.diag([1.0, -1.0]).astype(complex)
    factors[mode] = np.asarray(matrix, complex)
    return kron(factors)


def lower(space, mode):
    """b or c of a mode."""
    d = space.levels[mode]
    matrix = np.zeros((d, d))
    for n in range(1, d):
        matrix[n - 1, n] = np.sqrt(n)
    return on_mode(space, mode, matrix, space.fermionic[mode])


def count(space, mode):
    return on_mode(space, mode, np.diag(np.arange(space.levels[mode])))


def spin(space, mode):
    """S^x, S^y, S^z of a mode, from S^z and the ladder."""
    d = space.levels[mode]
    s = (d - 1) / 2
    m = [s - n for n in range(d)]
    plus = np.zeros((d, d))
    for n in range(1, d):
        plus[n - 1, n] = np.sqrt(s * (s + 1) - m[n] * (m[n] + 1))
    matrices = ((plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m))
    return [on_mode(space, mode, matrix) for matrix in matrices]


def electron_spin(up, down):
    """S^x, S^y, S^z of annihilation operators c_up and c_down."""
    plus = up.conj().T @ down
    along = (up.conj().T @ up - down.conj().T @ down) / 2
    return (plus + plus.conj().T) / 2, (plus - plus.conj().T) / 2j, along


def rows_of(space):
    """Where the configurations of a space are in the basis of all its modes' states."""
    numbers = np.zeros(space.dimension, int)
    for i, d in enumerate(space.levels):
        numbers = numbers * d + space.levels_of(space.configurations())[:, i]
    return numbers


def within(space, dense):
    """P A P as a matrix over the configurations of a space."""
    rows = rows_of(space)
    return dense[np.ix_(rows, rows)]


def close(operator, dense, space=None):
    """Whether an operator on unbounded modes, or `operator` in `space`, is the dense matrix, to 1e-12."""
    found = operator.to_sparse(space).toarray()
    want = dense if space is None else within(space, dense)
    return found.shape == want.shape and np.abs(found - want).max(initial=0) < 1e-12 * max(
        1, np.abs(want).max(initial=0)
    )
