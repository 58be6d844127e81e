r"""Any function of a parameter pytree and a configuration as a model.

`FunctionAmplitude(function, parameters, size=N)` calls `function(parameters, s) -> log ψ`: a Flax or Haiku
`apply`, or a function written by hand. It has no capability beyond the call, and so works everywhere through
the generic path.

    Flax linen   FunctionAmplitude(net.apply, net.init(key, jnp.ones(N)), size=N)
    Flax nnx     graph, p = nnx.split(net);  FunctionAmplitude(lambda p, s: nnx.merge(graph, p)(s), p, size=N)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Num, PyTree, Shaped

from intertwine import _checks
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dtype
from intertwine.models.protocols import Kind

_KINDS = ("real", "signed", "complex", "holomorphic")


class FunctionAmplitude(eqx.Module):
    r"""log ψ(s) = function(parameters, s).

    function: takes the parameters and one configuration, float (N,) of ±1 in the parameters' precision, and
    returns one number, shape (). It must be hashable (any `def` or `lambda` is) and pure; the same function
    object is compiled once, so make it once.
    parameters: a pytree with at least one real or complex array. Of Flax's variables only the collection
    "params" is trained; others, such as "batch_stats", stay as they are.
    size: N.
    kind: "real", "complex" or "holomorphic" (see `protocols.Kind`); by default what the types say. Complex
    parameters need it said: "holomorphic" only where no conjugate, modulus, real or imaginary part is taken
    (`laws.assert_holomorphic` checks it).

    Raises InputError where the function fails on these shapes, returns no scalar, or contradicts `kind`.

    >>> def log_psi(p, s):
    ...     return jnp.tanh(s @ p["w"]).sum()
    >>> model = FunctionAmplitude(log_psi, {"w": jnp.ones((4, 2))}, size=4)
    >>> model.kind, float(model(jnp.array([1, -1, 1, -1])))
    ('real', 0.0)
    """

    parameters: Any
    function: Callable[[Any, Array], Array] = eqx.field(static=True)
    size: int = eqx.field(static=True)
    kind: Kind = eqx.field(static=True)

    def __init__(
        self,
        function: Callable[[Any, Array], Array],
        parameters: PyTree,
        *,
        size: int,
        kind: Kind | None = None,
    ):
        if not callable(function):
            raise _checks.fail("function", "a function f(parameters, s) → log ψ", function)
        try:
            hash(function)
        except TypeError:
            remedy = "wrap it, for example lambda p, s: f(p, s)"
            raise _checks.fail("function", "a hashable function", type(function).__name__, remedy) from None
        self.size = _checks.positive_int("size", size, "give the number of sites, for example lattice.size")
        trained, kept = _collections(parameters)
        self.function = _Beside(function, kept) if kept else function
        self.parameters = jax.tree.map(_as_array, trained)
        self.kind = _agreed_kind(kind, self.parameters, self._output())

    def _output(self) -> jax.ShapeDtypeStruct:
        """What the function returns for one configuration, found without running it."""
        leaves = [x for x in jax.tree.leaves(self.parameters) if eqx.is_inexact_array(x)]
        if not leaves:
            remedy = "give arrays of floats (a Flax network's are net.init(key, s))"
            raise _checks.fail("parameters", "a pytree with real or complex arrays", self.parameters, remedy)
        try:
            out = jax.eval_shape(
                lambda p: self.function(p, self._as_input(jnp.ones(self.size))), self.parameters
            )
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
            raise _checks.fail(
                "function", f"a function of (parameters, s) that accepts s of shape ({self.size},)", reason
            ) from error
        if (
            not isinstance(out, jax.ShapeDtypeStruct)
            or out.shape != ()
            or not jnp.issubdtype(out.dtype, jnp.inexact)
        ):
            remedy = "return one number, for example with .sum() or [0]"
            got = f"shape {out.shape} of {out.dtype}" if isinstance(out, jax.ShapeDtypeStruct) else repr(out)
            raise _checks.fail(
                "function", "one real or complex number of shape () for one configuration", got, remedy
            )
        return out

    def _as_input(self, s: Shaped[Array, "N"]) -> Float[Array, "N"]:
        leaves = [x for x in jax.tree.leaves(self.parameters) if eqx.is_inexact_array(x)]
        return s.astype(real_dtype(jnp.result_type(*leaves)))

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return self.function(self.parameters, self._as_input(s))


class _Beside:
    """A function of variables of which only `params` are trained: the others are kept as they are. Equal to
    itself alone, so that it is compiled once."""

    def __init__(self, function: Callable[[Any, Array], Array], kept: dict[str, Any]):
        self.function, self.kept = function, kept

    def __call__(self, trained: PyTree, s: Array) -> Array:
        return self.function({**trained, **self.kept}, s)


def _collections(parameters: PyTree) -> tuple[Any, dict[str, Any]]:
    """What is trained, and what is not: Flax's variables beside "params", such as the statistics of a batch
    norm."""
    if not isinstance(parameters, Mapping) or "params" not in parameters or len(parameters) == 1:
        return parameters, {}
    return {"params": parameters["params"]}, {k: v for k, v in parameters.items() if k != "params"}


def _as_array(leaf: object) -> Any:
    """NumPy arrays and Python floats become parameters too."""
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray | np.generic | float | complex) else leaf


def _agreed_kind(kind: Kind | None, parameters: PyTree, output: jax.ShapeDtypeStruct) -> Kind:
    """`kind` if the types allow it; without one, what they say."""
    leaves = [x for x in jax.tree.leaves(parameters) if eqx.is_inexact_array(x)]
    complex_parameters = [jnp.iscomplexobj(x) for x in leaves]
    complex_output = bool(jnp.issubdtype(output.dtype, jnp.complexfloating))
    if kind is None:
        if any(complex_parameters):
            remedy = "say kind='holomorphic' if ψ is analytic in every parameter, else kind='complex'"
            raise _checks.fail("kind", "a kind, because there are complex parameters", "None", remedy)
        return "complex" if complex_output else "real"
    _checks.one_of("kind", kind, _KINDS)
    if kind == "real" and (any(complex_parameters) or complex_output):
        raise _checks.fail("kind", "'complex' or 'holomorphic' where a number is complex", "'real'")
    if kind == "holomorphic" and not (all(complex_parameters) and complex_output):
        raise _checks.fail("kind", "'real' or 'complex' where a parameter or log ψ is real", "'holomorphic'")
    if kind == "signed" and (any(complex_parameters) or not complex_output):
        expected = "'real', 'complex' or 'holomorphic' where a parameter is complex or log ψ is real"
        raise _checks.fail("kind", expected, "'signed'")
    if kind == "complex" and not complex_output:
        raise _checks.fail("kind", "'real' where log ψ is real", "'complex'")
    return kind
