r"""How far a network on pairs of elements has the symmetry of the group's multiplication.

G × G moves pairs and products, (a, b), c ↦ (g a, b k⁻¹), g c k⁻¹, and the table c = ab is mapped to itself.
Scores F(a, b; c), less their mean over c, which no prediction sees, have that symmetry where they depend on
d = a⁻¹ c b⁻¹ alone: the orbits of G × G on triples are numbered by d. So the projection onto the symmetric
scores is a mean over equal d, and

    equivariance error = ‖F − PF‖ / ‖F‖,      1 without any symmetry, 0 for an equivariant network,
    Σ_{g,k} ‖F − (g, k)F‖² / (|G|² ‖F‖²) = 2 (error)²        (the mean over all elements, exactly)

Functions f on G have their energy divided among the real irreps D (d_D rows, commutant of dimension e_D):

    energy of D = (d_D / e_D |G|) Σ_ij |Σ_g D_ij(g) f(g)|²,      Σ_D = Σ_g |f(g)|²      (Plancherel)

(Diaconis 1988, ch. 2.) The unit function δ(d, identity), with which every product is right, has the share
d_D² / (e_D |G|) in each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.symmetry import FiniteGroup
from intertwine.symmetry.irreducible import irreps


class IrrepFrame(NamedTuple):
    """names: of the real irreps. rows: float64 (k, g), a tight frame of functions; of: which irrep each row
    belongs to. unit: the share of each irrep in the unit function."""

    names: tuple[str, ...]
    rows: Float[np.ndarray, "k g"]
    of: np.ndarray
    unit: np.ndarray


@lru_cache(maxsize=8)
def irrep_frame(group: FiniteGroup) -> IrrepFrame:
    """The matrix elements of all real irreps, weighed so that squares of coefficients are energies.

    >>> from intertwine.symmetry import symmetric
    >>> frame = irrep_frame(symmetric(3))
    >>> frame.names, frame.unit.round(3).tolist()
    (('trivial', 'irrep 1', 'irrep 2'), [0.167, 0.167, 0.667])
    """
    rows, of, names, unit = [], [], [], []
    for number, rep in enumerate(irreps(group, field="real")):
        d = rep.dimension
        commutant = round(float(np.mean(np.abs(np.asarray(rep.character)) ** 2)))
        weight = d / (commutant * group.order)
        rows.append(
            np.sqrt(weight) * np.moveaxis(np.asarray(rep.matrices, np.float64), 0, -1).reshape(d * d, -1)
        )
        of += [number] * (d * d)
        names.append(rep.name or f"irrep {number}")
        unit.append(d * weight)
    return IrrepFrame(tuple(names), np.concatenate(rows), np.array(of), np.array(unit))


def energies_by_irrep(functions: np.ndarray, group: FiniteGroup) -> np.ndarray:
    """The energy of functions on the group (g, ...), summed over all of them, in each real irrep: float64."""
    frame = irrep_frame(group)
    flat = np.asarray(functions, np.float64).reshape(group.order, -1)
    squares = np.square(frame.rows @ flat).sum(axis=1)
    return np.bincount(frame.of, squares, len(frame.names))


@lru_cache(maxsize=2)
def _orbits(group: FiniteGroup) -> np.ndarray:
    """d = a⁻¹ c b⁻¹ of every triple, int32 (a, b, c)."""
    table, inverse = group.product_table, group.inverse
    left = table[inverse]  # (a, c): a⁻¹ c
    return np.ascontiguousarray(np.swapaxes(table[:, inverse][left], 1, 2)).astype(np.int32)


@eqx.filter_jit
def _scores(network: PyTree, pairs: Any) -> Any:
    return network.outputs(pairs) if hasattr(network, "outputs") else jax.vmap(network)(pairs)


def table_scores(network: PyTree, group: FiniteGroup) -> Float[np.ndarray, "g g g"]:
    """F(a, b; c) of a network of one-hot pairs (2g,) → scores (g,), float64.

    Raises InputError for scores of another shape, and for ones that are not finite.
    """
    n = group.order
    if getattr(network, "order", None) == n and hasattr(network, "outputs"):
        pairs = np.stack(np.divmod(np.arange(n * n), n), axis=1)
        found = _scores(network, jnp.asarray(pairs, jnp.int32))
    else:
        eye = np.eye(n, dtype=np.float32)
        pairs = np.concatenate([np.repeat(eye, n, 0), np.tile(eye, (n, 1))], axis=1)
        try:
            found = _scores(network, jnp.asarray(pairs))
        except (TypeError, ValueError) as error:
            got = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise fail("run", f"networks of one-hot pairs ({2 * n},)", got[:200]) from None
    scores = np.asarray(found, np.float64)
    if scores.shape != (n * n, n):
        raise fail("run", f"networks with {n} scores, one for each element of the group", scores.shape[1:])
    if not np.isfinite(scores).all():
        raise fail("run", "networks with finite scores", "nan or inf", "a smaller learning rate may help")
    return scores.reshape(n, n, n)


class TableSymmetry(NamedTuple):
    """Of scores F. error: ‖F − PF‖/‖F‖ under G × G. class_error: the same for functions of the conjugacy
    class of d alone, which the middle action (a h⁻¹, h b) asks for too. function: PF as a function of d (g,).
    right: whether each pair (a, b) has its product, bool (g, g)."""

    error: float
    class_error: float
    function: Float[np.ndarray, " g"]
    right: np.ndarray


def table_symmetry(scores: np.ndarray, group: FiniteGroup) -> TableSymmetry:
    """See the module; scores (g, g, g).

    >>> from intertwine.symmetry import cyclic
    >>> table = cyclic(5).product_table
    >>> found = table_symmetry(np.eye(5)[table], cyclic(5))
    >>> round(found.error, 9), bool(found.right.all()), found.function.round(2).tolist()
    (0.0, True, [0.8, -0.2, -0.2, -0.2, -0.2])
    """
    n, orbits = group.order, _orbits(group)
    centred = scores - scores.mean(axis=2, keepdims=True)
    total = float(np.square(centred).sum())
    function = np.bincount(orbits.ravel(), centred.ravel(), n) / n**2
    sizes = np.bincount(group.class_of)
    by_class = np.bincount(group.class_of, function)
    kept = n**2 * float(np.square(function).sum())
    kept_class = n**2 * float((by_class**2 / sizes).sum())
    # 1 where all scores are equal: nothing is learned
    errors = [1.0 if total == 0 else float(np.sqrt(max(0.0, 1 - k / total))) for k in (kept, kept_class)]
    return TableSymmetry(errors[0], errors[1], function, scores.argmax(axis=2) == group.product_table)
