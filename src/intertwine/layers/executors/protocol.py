r"""How a convolution is computed: what `Conv` asks of the executor that a space names.

A space says `executor`, an object as below or its name "module:Class"; the executors here are named, so that
spaces know nothing of layers, and a space of one's own gives the object itself. An executor has no state: all
that it needs is in the `Plan` of the layer, which is hashable, so that tables can be kept by plan.

    check(plan)                 when the layer is built: InputError for settings that the space has no use for
    apply(plan, κ, x)           (..., *space, C_in) → (..., *space', C_out), traced by JAX
    dense(plan, κ)              κ in the form in which it is shown and exported
    keeps_centre(plan, shape)   whether equivariance is exact for arrays of `shape`
    correlates                  whether `apply` is nothing but `correlate` with `dense`
"""

from __future__ import annotations

from functools import lru_cache
from pkgutil import resolve_name
from typing import Any, NamedTuple, Protocol

from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.spaces.protocols import Space
from intertwine.symmetry.fibre_maps import AnyRep

Padding = str | int


class Plan(NamedTuple):
    """The settings of a layer. space: a `Space`. support: the region, hashable. stride, padding, executor: as
    given to `Conv`; an executor refuses what it has no use for."""

    space: Any
    rep_in: AnyRep
    rep_out: AnyRep
    support: Any
    stride: int = 1
    padding: Padding = "valid"
    executor: str = "auto"


class Executor(Protocol):
    """Applies kernels to fields on one kind of space."""

    correlates: bool

    def check(self, plan: Plan) -> None:
        """Raise InputError for settings that do not fit the space."""
        ...

    def apply(
        self, plan: Plan, kernel: Float[Array, "points C_in C_out"], x: Float[Array, "... C_in"]
    ) -> Float[Array, "... C_out"]:
        """The convolution of fields x (..., *space, C_in); the kernel is given at the points of the support,
        in their order."""
        ...

    def dense(self, plan: Plan, kernel: Float[Array, "points C_in C_out"]) -> Float[Array, "... C_in C_out"]:
        """The kernel as it is shown; itself where there is nothing to arrange."""
        ...

    def keeps_centre(self, plan: Plan, shape: tuple[int, ...]) -> bool:
        """Whether the layer is exactly equivariant on arrays of `shape`; True on finite spaces."""
        ...


class CloudExecutor(Protocol):
    """Applies kernels to fields on clouds of points (`CloudSpace`): an `Executor` but for `apply`."""

    def apply(
        self, plan: Plan, kernel: Float[Array, "coordinates C_in C_out"], x: Float[Array, "... C_in"], at: Any
    ) -> Float[Array, "... C_out"]:
        """The convolution of fields x (..., n, C_in) on the points of `at`; the kernel is given in the
        coordinates of the space's `kernel_basis`."""
        ...


class FiniteExecutor:
    """What executors of finite spaces have in common: no stride, no padding, kernels as they are."""

    correlates = False

    def check(self, plan: Plan) -> None:
        """InputError for strides, paddings and named ways of computing."""
        check_no_steps(plan)
        if plan.executor != "auto":
            raise fail("executor", "'auto' on this space", plan.executor)

    def dense(self, plan: Plan, kernel: Float[Array, "points C_in C_out"]) -> Float[Array, "... C_in C_out"]:
        """The kernel at the points of the support."""
        return kernel

    def keeps_centre(self, plan: Plan, shape: tuple[int, ...]) -> bool:
        """There is no border."""
        return True


def check_no_steps(plan: Plan) -> None:
    """InputError for strides and paddings, which finite spaces have no use for."""
    if plan.stride != 1 or plan.padding != "valid":
        got = f"stride {plan.stride}, padding {plan.padding!r}"
        raise fail("stride", "1 and no padding on a finite space", got)


def executor_of(space: Space) -> Executor:
    """The executor that `space` names; InputError for what is no space.

    >>> from intertwine.spaces.grid import Grid
    >>> executor_of(Grid("p4")).correlates
    True
    """
    named: Any = getattr(space, "executor", None)
    if isinstance(named, str):
        return _named(named)
    if not hasattr(named, "apply"):
        raise fail("space", "a Grid, a HomogeneousSpace or another Space", space, 'for example Grid("p4m")')
    return named


@lru_cache(maxsize=64)
def _named(name: str) -> Executor:
    return resolve_name(name)()
