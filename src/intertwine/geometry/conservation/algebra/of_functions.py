r"""The matrices that leave a function alone: its Lie algebra, linear or affine, and discrete elements.

    f(e^{tA} x) = f(x) for all t and x    ⟺    ∂f(x)/∂x · A x = 0 for all x

linear in A: d² unknowns (d² + d with translations), one condition for each state and output. It is exact
for a function, and approximate for one that was trained: give `tolerance`, and the gap says whether one may
speak of a symmetry. Where the states lie in a subspace, what moves others is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, positive_number
from intertwine.geometry.conservation.algebra.discrete import Candidates, candidates, further
from intertwine.geometry.conservation.algebra.found import Symmetries
from intertwine.geometry.conservation.algebra.lie_algebra import CLOSED, lie_algebra
from intertwine.geometry.conservation.formulas import NEGLIGIBLE, sparse_basis
from intertwine.geometry.conservation.near import near_misses
from intertwine.geometry.conservation.null_space import LEAST_GAP, null_space

MOST_UNKNOWNS = 1300
"""Of the largest algebra that is looked for: 36 coordinates."""

_OUTPUTS = 24
_TESTED = 256


def function_symmetries(
    function: Callable[..., object],
    states: ArrayLike | int | tuple[int, ...] | None,
    *,
    affine: bool = False,
    tolerance: float | None = None,
    candidate: Candidates | None = None,
) -> Symmetries:
    """Of a function of one state (any shape, taken as a vector) to numbers; see `it.symmetries`."""
    points, shape = _points(states, affine)
    n, d = points.shape
    unknowns = d * (d + affine)
    if unknowns > MOST_UNKNOWNS:
        remedy = "give fewer coordinates, or discrete elements alone: candidates=... on a Lie algebra of none"
        if candidate is None:
            raise fail("states", f"at most {MOST_UNKNOWNS} unknown numbers of a generator", unknowns, remedy)
        return _discrete_alone(function, points, shape, candidate, tolerance)
    slopes, eps = _slopes(function, points, shape)
    if n < 2 * unknowns / slopes.shape[1] or n < d + 2:
        need = max(d + 2, -(-2 * unknowns // slopes.shape[1]))
        raise fail("states", f"at least {need} states for {unknowns} unknown numbers of a generator", n)
    if not np.any(slopes):
        raise fail("function", "one that depends on its state", "slopes of 0 at every state")
    tolerance = None if tolerance is None else positive_number("tolerance", tolerance)
    wide = np.concatenate([points, np.ones((n, int(affine)))], axis=1)
    rows = np.einsum("nki,nj->nkij", slopes, wide).reshape(-1, unknowns)
    triangle = np.linalg.qr(wide, mode="r")
    values = np.kron(np.eye(d), triangle) / np.sqrt(n) * np.sqrt(len(triangle) * d)
    null = null_space(rows, values, tolerance=tolerance, eps=eps, centred=False)
    half = null_space(
        rows.reshape(n, -1, unknowns)[::2].reshape(-1, unknowns),
        values,
        tolerance=tolerance,
        eps=eps,
        centred=False,
    )
    basis = sparse_basis(
        null.combinations, negligible=NEGLIGIBLE if tolerance is None else min(0.05, 3 * tolerance)
    )
    generators = basis.reshape(-1, d, d + affine)
    if affine:
        generators = np.concatenate([generators, np.zeros((len(generators), 1, d + 1))], axis=1)
    algebra = lie_algebra(generators, CLOSED if tolerance is None else 10 * tolerance)
    said = []
    if half.dimension != null.dimension:
        sentence = f"half of the states give {half.dimension} generators, all of them {null.dimension}"
        said.append(caveat("unjudged", f"{sentence}: with more of them fewer may be left"))
    if len(null.singular_values) < unknowns:
        sentence = f"the states span {len(null.singular_values) // d} of {wide.shape[1]} directions"
        said.append(caveat("data", f"{sentence}: generators are those of that subspace"))
    if not null.judged:
        said.append(caveat("unjudged", f"the gap of {null.gap:.2g} is below {LEAST_GAP:g}"))
    if not algebra.closes:
        sentence = f"brackets of the generators leave their span by {algebra.closure_error:.1e}"
        said.append(caveat("assumption", f"{sentence}: together they are no Lie algebra"))
    said += near_misses(null, exact=tolerance is None)
    linear = generators[:, :d, :d] if affine else generators
    holds = _holds(function, points[:_TESTED], shape, tolerance)
    kept, names = further(candidates(d, candidate), holds, linear)
    judged = null.judged and algebra.closes and half.dimension == null.dimension
    tell(said, stacklevel=4)
    tested = f"tested at {n} states, {len(null.singular_values)} unknown numbers"
    found = np.array(kept).reshape(-1, d, d)
    return Symmetries(algebra, found, tuple(names), null, tested, affine, judged, tuple(said))


def _discrete_alone(
    function: Callable[..., object],
    points: np.ndarray,
    shape: tuple[int, ...],
    candidate: Candidates,
    tolerance: float | None,
) -> Symmetries:
    """Where a state has too many coordinates for generators."""
    d = points.shape[1]
    none = np.zeros((0, d, d))
    kept, names = further(
        candidates(d, candidate), _holds(function, points[:_TESTED], shape, tolerance), none
    )
    null = null_space(np.zeros((0, 0)), np.zeros((1, 0)))
    said = (caveat("unjudged", f"generators were not looked for among {d * d} unknown numbers"),)
    tell(said, stacklevel=5)
    tested = f"tested at {min(len(points), _TESTED)} states, discrete elements alone"
    found = np.array(kept).reshape(-1, d, d)
    return Symmetries(lie_algebra(none), found, tuple(names), null, tested, False, False, said)


def _points(
    states: ArrayLike | int | tuple[int, ...] | None, affine: bool
) -> tuple[np.ndarray, tuple[int, ...]]:
    """(states as rows, the shape of one)."""
    shape = (states,) if isinstance(states, int) and not isinstance(states, bool) else states
    if isinstance(shape, tuple) and shape and all(isinstance(n, int) and n > 0 for n in shape):
        extent = tuple(int(n) for n in shape)  # type: ignore[arg-type]
        d = math.prod(extent)
        return np.random.default_rng(0).normal(size=(4 * d * (d + affine) + 20, d)), extent
    given = np.asarray(states) if states is not None else np.zeros(0)
    if given.ndim < 2 or given.dtype.kind not in "biuf" or not len(given):
        remedy = "give states (n, d), or d alone for random ones"
        raise fail("states", "states where the function is looked at", states, remedy)
    if not np.isfinite(given.astype(np.float64)).all():
        raise fail("states", "finite numbers", "some that are not")
    return given.reshape(len(given), -1).astype(np.float64), given.shape[1:]


def _slopes(
    function: Callable[..., object], points: np.ndarray, shape: tuple[int, ...]
) -> tuple[Float[np.ndarray, "n k d"], float]:
    """(the Jacobian at each state, of at most _OUTPUTS mixed outputs, the spacing of its numbers)."""
    with jax.enable_x64(True):

        def flat(x: jax.Array) -> jax.Array:
            return jnp.asarray(function(x.reshape(shape))).reshape(-1)

        try:
            out = jax.eval_shape(flat, jnp.asarray(points[0]))
            mix = np.eye(out.shape[0])
            if out.shape[0] > _OUTPUTS:
                mix = np.random.default_rng(1).normal(size=(_OUTPUTS, out.shape[0]))
            slope = jax.jit(lambda xs: jax.lax.map(jax.jacrev(lambda x: mix @ flat(x)), xs, batch_size=64))
            found = np.asarray(slope(jnp.asarray(points)))
        except Exception as error:
            reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
            expected = f"one of a state {shape} that JAX differentiates"
            raise fail("function", expected, reason, "write it with jax.numpy") from error
    if not np.isfinite(found).all():
        raise fail(
            "function", "finite slopes at every state", f"{int((~np.isfinite(found)).sum())} that are not"
        )
    return found.astype(np.float64), float(jnp.finfo(out.dtype).eps)


def _holds(
    function: Callable[..., object], points: np.ndarray, shape: tuple[int, ...], tolerance: float | None
) -> Callable[[np.ndarray], bool]:
    """Whether f(gx) = f(x), within rounding or the tolerance, over the spread of f."""
    with jax.enable_x64(True):
        run = jax.jit(
            lambda xs: jax.lax.map(lambda x: jnp.asarray(function(x.reshape(shape))).reshape(-1), xs)
        )
        before = np.asarray(run(jnp.asarray(points)))
    spread = max(float(before.std()), 1e-300)
    eps = float(np.finfo(before.dtype).eps) if before.dtype.kind == "f" else 2.2e-16
    allowed = 1e5 * eps if tolerance is None else tolerance

    def holds(element: np.ndarray) -> bool:
        with jax.enable_x64(True):
            after = np.asarray(run(jnp.asarray(points @ element.T)))
        return bool(np.sqrt(np.mean((after - before) ** 2)) <= allowed * spread)

    return holds
