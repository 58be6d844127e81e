r"""`it.conserved` and `it.symmetries`: what stays the same along training, along a motion, under matrices.

One null space answers three questions (`null_space`): combinations of functions of parameters whose rate
along every direction of gradient flow is 0 (`training`), of a state whose rate along a vector field is 0
(`charges`), and generators along which a function or the moments of data have slope 0 (`algebra`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.geometry.conservation.algebra.discrete import Candidates
from intertwine.geometry.conservation.algebra.found import Symmetries
from intertwine.geometry.conservation.algebra.of_data import data_symmetries
from intertwine.geometry.conservation.algebra.of_functions import function_symmetries
from intertwine.geometry.conservation.charges import (
    Charges,
    charges_of_field,
    charges_of_trajectories,
)
from intertwine.geometry.conservation.dictionary import Functions
from intertwine.geometry.conservation.training.laws import TrainingLaws, training_laws
from intertwine.models.results import as_model


@overload
def conserved(
    system: object,
    states: ArrayLike,
    *,
    degree: int = 2,
    functions: Functions | None = None,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Charges: ...


@overload
def conserved(
    system: np.ndarray | Array | Sequence[np.ndarray],
    *,
    degree: int = 2,
    functions: Functions | None = None,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Charges: ...


@overload
def conserved(
    system: object,
    *,
    inputs: ArrayLike | tuple[int, ...] | None = None,
    loss: str = "any",
    count: bool | None = None,
) -> TrainingLaws: ...


def conserved(
    system: PyTree,
    states: ArrayLike | None = None,
    *,
    degree: int = 2,
    functions: Functions | None = None,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
    inputs: ArrayLike | tuple[int, ...] | None = None,
    loss: str = "any",
    count: bool | None = None,
) -> TrainingLaws | Charges:
    r"""What a motion conserves: of a vector field, of trajectories, or of the training of a network.

    A vector field, `conserved(field, states)`: field: a function of one state (d,) to its velocity (d,), of
    JAX or of NumPy, or a network that learned one. states: (n, d), where it is looked at, at least twice as
    many as there are functions.
    Trajectories, `conserved(trajectories)`: (times, d), (trajectories, times, d) or a list of (times, d), in
    order of time. The charges of both are combinations of monomials to `degree` of the coordinates, called
    `names`, and of further `functions`, {name: function of one state that JAX differentiates}.
    tolerance: what may change and count as constant: of a field over its fastest rate, along trajectories
    over the spread of the function. None: rounding for fields; for trajectories 1e-4, or more where the
    change is white noise, by a gap of 10.

    A network, `conserved(network)`, any that `fit_supervised` takes: what gradient flow of its parameters
    conserves whatever the data are: linear and quadratic laws (`TrainingLaws`), and how many there are of any
    kind. inputs: the shape of an example, such as (28, 28, 1), for laws of all inputs; or examples
    (rows, ...), for laws that hold for those. loss: "any", "squared-error" (the same) or "cross-entropy",
    which a shift of all scores leaves alone. count: whether all are counted by the Lie algebra; None: for at
    most 300 parameters.

    Sources: Marcotte, Gribonval & Peyré, NeurIPS 2023; Kunin et al., ICLR 2021; for charges of trajectories
    as a null space, Kaiser, Kutz & Brunton, 2018 (Discovering conservation laws from data for control).

    Raises InputError for too few states (it says how many), and for what is neither of the three.

    >>> import numpy as np
    >>> import jax.numpy as jnp
    >>> draws = np.random.default_rng(0).normal(size=(40, 2))
    >>> pendulum = conserved(lambda s: jnp.stack([s[1], -jnp.sin(s[0])]), draws, names=("q", "p"),
    ...                      functions={"cos q": lambda s: jnp.cos(s[0])})
    >>> pendulum.formulas
    ('2 cos q − p²',)
    """
    if states is not None and not callable(as_model(system)):
        raise fail("system", "a vector field of the states: a function of one", system)
    if states is not None:
        return charges_of_field(
            as_model(system), states, degree=degree, functions=functions, names=names, tolerance=tolerance
        )
    if _is_array(system):
        return charges_of_trajectories(
            system, degree=degree, functions=functions, names=names, tolerance=tolerance
        )
    if type(system).__name__ == "function" or (inputs is None and not hasattr(as_model(system), "__dict__")):
        remedy = "give states (n, d) for a vector field"
        raise fail("system", "a network, a vector field with states, or trajectories", system, remedy)
    return training_laws(system, inputs, loss=loss, count=count)


def symmetries(
    of: PyTree,
    states: ArrayLike | int | tuple[int, ...] | None = None,
    *,
    affine: bool = False,
    tolerance: float | None = None,
    within: Literal["matrices", "rotations"] = "matrices",
    candidates: Candidates | None = None,
) -> Symmetries:
    r"""The Lie algebra of matrices, and the discrete ones, that leave a function or data alone.

    A function, `symmetries(f, states)`: f: of one state of any shape to numbers, differentiated by JAX: a
    network, a run of one, a Hamiltonian, a logarithm of a density. states: (n, ...) where it is looked at; or
    d, or the shape of a state, for random ones. tolerance: the slope along a generator, over the largest
    along any, that counts as 0; None for rounding, which a trained network needs more than.
    Data, `symmetries(rows)`: (n, d), independent draws: what leaves their moments to degree 4 alone within
    errors (`algebra.of_data`). within: "rotations" for antisymmetric generators alone.

    affine: with translations; of data turns about their mean. candidates: discrete elements to try, matrices
    (d, d) or permutations of the coordinates, with names or without; None: −1, reflections, exchanges, the
    cyclic shift.

    `.group()` of the result is `it.symmetry.LieGroup` of it, for intertwiners and layers.

    Raises InputError for too few states or rows, and for functions that are constant or have no slope.

    >>> import jax.numpy as jnp
    >>> metric = jnp.array([1.0, -1.0, -1.0, -1.0])
    >>> lorentz = symmetries(lambda x: jnp.sum(metric * x * x), 4)
    >>> lorentz.name, lorentz.dimension, lorentz.signature
    ('so(1, 3)', 6, (3, 3))
    """
    if _is_array(of):
        if states is not None or tolerance is not None:
            raise fail("states", "none beside data", states if states is not None else tolerance)
        return data_symmetries(of, affine=affine, within=within, candidate=candidates)
    function = as_model(of)
    if not callable(function):
        raise fail("of", "a function of one state, or data (n, d)", of)
    if within != "matrices":
        raise fail("within", "'matrices' for a function", within)
    return function_symmetries(function, states, affine=affine, tolerance=tolerance, candidate=candidates)


def _is_array(given: object) -> bool:
    if isinstance(given, list | tuple) and given:
        return not callable(given) and all(_is_array(g) or isinstance(g, int | float) for g in given)
    return hasattr(given, "__array__") and hasattr(given, "shape")
