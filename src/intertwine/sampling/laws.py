r"""Laws of samplers on small systems: kernel matrices, detailed balance, and samplers that follow them.

The kernel of a rule with moves m of probability w_m on the configurations of N ≤ 12 spins is the matrix

    P(s → s') = Σ_{m: m s = s'} w_m min(1, p(s')/p(s)),   s' ≠ s,      P(s → s) = 1 − Σ_{s' ≠ s} P(s → s'),

with p = |ψ|^{2β}; detailed balance is p(s) P(s → s') = p(s') P(s' → s) for every pair, and ergodicity is that
a power of P has no zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jax import Array

from intertwine._checks import fail
from intertwine.models.protocols import LogAmplitude
from intertwine.models.results import as_model
from intertwine.sampling.enumeration import all_configurations, log_density
from intertwine.sampling.metropolis.legality import check_size, moved_levels
from intertwine.sampling.metropolis.rules import Rule
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.models.machines.layered import Layers
    from intertwine.models.machines.unit_layer import UnitLayer
    from intertwine.sampling.protocols import Sampler

_LIMIT = 12


def transition_matrix(
    rule: Rule,
    model: LogAmplitude,
    *,
    beta: float = 1.0,
    magnetization: int | None = None,
    hilbert: HilbertSpace | None = None,
) -> np.ndarray:
    """P(s → s') of one proposal, float64 (n, n), over `all_configurations(model.size, magnetization)`, or
    over `hilbert.configurations()`.

    Raises InputError for more than 12 sites (4,096 configurations), and for a magnetization that the rule
    does not conserve.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> P = transition_matrix(SingleFlip(), RBM(3, hidden=2, key=jax.random.key(0)))
    >>> P.shape, bool(abs(P.sum(axis=1) - 1).max() < 1e-14)
    ((8, 8), True)
    """
    size = model.size
    space = HilbertSpace((2,) * size) if hilbert is None else hilbert
    if space.dimension > 2**_LIMIT:
        raise fail("model", f"at most {_LIMIT} sites for a kernel matrix", f"{size} sites")
    kept = rule.magnetization == "kept" or (rule.magnetization == "up to sign" and magnetization == 0)
    if magnetization is not None and not kept:
        raise fail("magnetization", "None for a rule that changes it", magnetization)
    spins = _configurations(size, magnetization, hilbert)
    levels = space.levels_of(spins).astype(np.int64)
    numbers = space.numbers_of(spins)
    log_p = beta * np.asarray(log_density(model, spins), np.float64)
    matrix = np.zeros((len(numbers), len(numbers)))
    rows = np.arange(len(numbers))
    for table, share in rule.components(size):
        for m, weight in enumerate(table.weights * share):
            there = space.numbers_of(space.written(moved_levels(space, table, m, levels)))
            to = np.minimum(np.searchsorted(numbers, there), len(numbers) - 1)
            live = (numbers[to] == there) & (to != rows)
            at = to[live]
            matrix[rows[live], at] += weight * np.exp(np.minimum(0.0, log_p[at] - log_p[live]))
    matrix[rows, rows] += 1.0 - matrix.sum(axis=1)
    return matrix


def _configurations(size: int, magnetization: int | None, hilbert: HilbertSpace | None) -> np.ndarray:
    if hilbert is None:
        return all_configurations(size, magnetization)
    if magnetization is not None:
        raise fail("magnetization", "None with a Hilbert space, which says it", magnetization)
    check_size(hilbert, size)
    return hilbert.configurations()


def assert_detailed_balance(
    rule: Rule,
    model: LogAmplitude,
    tol: float = 1e-12,
    *,
    beta: float = 1.0,
    magnetization: int | None = None,
    hilbert: HilbertSpace | None = None,
) -> None:
    """Raise AssertionError unless the rule's kernel is a stochastic matrix in detailed balance with |ψ|^{2β}.

    hilbert: the space whose configurations are sampled, None for spins of `magnetization`.
    tol: the largest |p(s) P(s → s') − p(s') P(s' → s)| and |p P − p| allowed, p summing to 1.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.rules import Exchange
    >>> assert_detailed_balance(Exchange(), RBM(4, hidden=3, key=jax.random.key(0)), tol=1e-6)
    """
    model = as_model(model)
    matrix = transition_matrix(rule, model, beta=beta, magnetization=magnetization, hilbert=hilbert)
    configurations = _configurations(model.size, magnetization, hilbert)
    log_p = beta * np.asarray(log_density(model, configurations), np.float64)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    flow = p[:, None] * matrix
    assert matrix.min() >= -tol, f"{rule}: a transition probability is {matrix.min():.3g}"
    assert abs(matrix.sum(axis=1) - 1).max() <= tol, f"{rule}: rows of the kernel do not sum to 1"
    assert abs(flow - flow.T).max() <= tol, (
        f"{rule}: detailed balance is off by {abs(flow - flow.T).max():.3g}"
    )
    assert abs(p @ matrix - p).max() <= tol, f"{rule}: |ψ|² is not stationary"


def is_ergodic(matrix: np.ndarray) -> bool:
    """Whether a kernel connects every pair of configurations (some power of it is positive everywhere)."""
    reach = (matrix > 0) | np.eye(len(matrix), dtype=bool)
    for _ in range(int(np.ceil(np.log2(len(matrix)))) + 1):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    return bool(reach.all())


def transition_counts(
    sampler: Sampler,
    model: LogAmplitude,
    draws: int,
    *,
    key: Array,
    magnetization: int | None = None,
    hilbert: HilbertSpace | None = None,
) -> np.ndarray:
    """How often the sampler went from one configuration to another in successive draws: int64 (n, n)."""
    import jax

    start, run = jax.random.split(key)
    state = sampler.init(model, key=start)
    samples, _ = sampler.sample(model, state, draws, key=run)
    space = HilbertSpace((2,) * model.size) if hilbert is None else hilbert
    numbers = space.numbers_of(_configurations(model.size, magnetization, hilbert))
    spins = np.asarray(samples.configurations)
    places = space.numbers_of(spins.reshape(-1, model.size)).reshape(spins.shape[:2])
    index = np.searchsorted(numbers, places)
    counts = np.zeros((len(numbers), len(numbers)), np.int64)
    np.add.at(counts, (index[:, :-1].ravel(), index[:, 1:].ravel()), 1)
    return counts


def assert_follows_kernel(counts: np.ndarray, matrix: np.ndarray, deviations: float = 4.0) -> None:
    """Raise AssertionError unless transition counts are those of the kernel, within `deviations` sigma.

    Given how often each row was left, the counts of a row are multinomial: no impossible transition may
    occur, and χ² = Σ (count − expected)²/expected lies within `deviations` √(2 dof) of its degrees of
    freedom.
    """
    assert (counts[matrix <= 1e-15] == 0).all(), "a transition of probability 0 occurred"
    expected = counts.sum(axis=1, keepdims=True) * matrix
    used = expected > 5.0
    dof = int(used.sum() - used.any(axis=1).sum())
    chi2 = float((((counts - expected) ** 2)[used] / expected[used]).sum())
    assert dof > 0, "too few transitions to compare; draw more"
    limit = deviations * np.sqrt(2.0 * dof)
    assert abs(chi2 - dof) <= limit, f"χ² = {chi2:.1f} for {dof} degrees of freedom"


def gibbs_matrix(model: Layers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""The kernel of a sweep of block Gibbs on the even side of a machine of discrete layers, from joint
    energies alone: (states (n, columns) of the even layers joined, p (n,), P (n, n)),

        P(x → x') = Σ_y p(y|x) p(x'|y),      p(x) P(x → x') = p(x') P(x' → x).

    Raises InputError for continuous units, and for more than 2^12 configurations of a side.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> x, p, P = gibbs_matrix(RBM(3, hidden=2, key=jax.random.key(0)))
    >>> P.shape, bool(abs(p @ P - p).max() < 1e-7)
    ((8, 8), True)
    """
    from intertwine.models.machines.layered import layered

    machine = layered(model)
    sides = [_joined_states(machine.side(side)) for side in (0, 1)]
    biases = [np.concatenate([np.asarray(b, np.float64) for b in machine.biases[side::2]]) for side in (0, 1)]
    even, odd = (np.cumsum([0, *(layer.size for layer in machine.side(side))]) for side in (0, 1))
    weights = np.zeros((even[-1], odd[-1]))
    for k, w in enumerate(machine.weights):
        block = np.asarray(w, np.float64) if k % 2 == 0 else np.asarray(w, np.float64).T
        row, column = (k // 2, k // 2) if k % 2 == 0 else (k // 2 + 1, k // 2)
        weights[even[row] : even[row + 1], odd[column] : odd[column + 1]] = block
    x, y = sides
    log_p = (x @ biases[0])[:, None] + (x @ weights) @ y.T + y @ biases[1]
    joint = np.exp(log_p - log_p.max())
    joint /= joint.sum()
    p = joint.sum(1)
    return x, p, (joint / p[:, None]) @ (joint / joint.sum(0)).T


def _joined_states(layers: Sequence[UnitLayer]) -> np.ndarray:
    """All configurations of several layers side by side, float64, the first unit slowest."""
    found = np.zeros((1, 0))
    for layer in layers:
        states = layer.states()
        if len(found) * len(states) > 2**_LIMIT:
            raise fail("model", "at most 2^12 configurations of a side", len(found) * len(states))
        found = np.concatenate([np.repeat(found, len(states), 0), np.tile(states, (len(found), 1))], 1)
    return found
