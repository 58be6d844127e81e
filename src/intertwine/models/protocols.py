r"""What samplers, estimators and the metric may ask of a model.

A model takes one configuration s ∈ {−1, +1}^N and returns log ψ_λ(s): real for a distribution (log of an
unnormalised weight's square root: the probability is |ψ|²), complex for a wave function. It is an
`equinox.Module` whose inexact array leaves are its parameters λ. Callers `vmap`.

Capabilities beyond the call are small protocols. A model without one works everywhere through the generic
path; with one, the fast path equals the generic path to rounding (`assert_incremental_consistent`,
`assert_factors_consistent`, `assert_spin_form_consistent`).

    LogAmplitude   model(s)                       everything works
    Incremental    start, log_ratio, flip         a flip costs O(M), not O(N M)
    LevelIncremental  start, log_change, change   the same of modes with several levels
    SpinFormed     spin_form()                    compiled host kernels on a CPU
    Factored       factors(samples)               Gram matrix of minSR without a Jacobian
    Bipartite      conditionals p(h|v), p(v|h)    block Gibbs
    SpinSystem     lattice, order, order_squared  chains watched along the order parameter
    DrawsItself    draw, hilbert                  independent samples without chains
    Stepwise       steps, order, hilbert          amplitudes that begin alike are evaluated from there on
    Tabulates      tabulated()                    all amplitudes at once, for those who ask for many in parts

A model may also say `evaluation_batch`, how many configurations are best evaluated at once (deep networks: as
many as stay in a cache); local energies then walk through that many at a time.

Flipped sites are int32 arrays of fixed length; the value N (one past the last site) pads them and flips
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import jax
from jax import Array
from jaxtyping import Int, Int8, Num, PyTree, Shaped

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

Kind = Literal["real", "signed", "complex", "holomorphic"]
"""How λ enters: `real` real λ and real log ψ; `signed` real λ and a real ψ with signs, log ψ = ln |ψ| + iπ
(0 or 1), whose log-derivatives are real; `complex` complex log ψ that is not holomorphic in λ (real λ, or
complex λ counted as pairs of reals); `holomorphic` complex λ with ∂(log ψ)/∂λ* = 0 (checked by
`assert_holomorphic`)."""


@runtime_checkable
class LogAmplitude(Protocol):
    """λ ↦ log ψ_λ: the one thing that every model is."""

    @property
    def size(self) -> int:
        """The number of sites N."""
        ...

    @property
    def kind(self) -> Kind: ...

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]: ...


def is_density(model: object) -> bool:
    """Whether `model` is one of configurations (a machine, a wave function, a spin model), not a network.

    >>> from intertwine.models.mean_field import MeanField
    >>> is_density(MeanField(3, key=jax.random.key(0))), is_density(jax.numpy.sin)
    (True, False)
    """
    return all(hasattr(model, name) for name in ("size", "kind"))


@runtime_checkable
class Incremental(Protocol):
    """Keeps a cache for one configuration, so that a flip costs less than a new evaluation."""

    def start(self, s: Shaped[Array, "N"]) -> Any:
        """The cache of configuration `s`."""
        ...

    def log_ratio(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s), s' being `s` with `sites` flipped (a site equal to N flips nothing)."""
        ...

    def flip(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Any:
        """The cache of s' from the cache of the unflipped `s`."""
        ...


@runtime_checkable
class LevelIncremental(Protocol):
    """`Incremental` for configurations of levels n_i ∈ {0, …, d_i − 1}: modes change to given levels."""

    def start(self, s: Shaped[Array, "N"]) -> Any:
        """The cache of configuration `s`."""
        ...

    def log_change(
        self, cache: PyTree, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s), s' being `s` with `levels` on `modes` (a mode equal to N changes nothing)."""
        ...

    def change(
        self, cache: PyTree, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Any:
        """The cache of s' from the cache of `s`."""
        ...


class SpinForm(NamedTuple):
    r"""log ψ(s) = constant + a·s + ½ sᵀ J s + Σ_k ln 2cosh(b_k + (sᵀ W)_k) for spins ±1.

    The form that the host kernels compute. All arrays share one real or complex dtype; `coupling` is
    symmetric with zero diagonal, or None (no pair term); M = 0 hidden units is allowed.
    """

    constant: Num[Array, ""]
    field: Num[Array, "N"]
    coupling: Num[Array, "N N"] | None
    hidden_bias: Num[Array, "M"]
    weights: Num[Array, "N M"]


@runtime_checkable
class SpinFormed(Protocol):
    """A model that is exactly a `SpinForm`: RBMs, symmetric RBMs (expanded), Jastrow, mean field."""

    def spin_form(self) -> SpinForm: ...


@runtime_checkable
class LevelFormed(Protocol):
    """A model of levels that is a `SpinForm` of the spins that stand for them (`models.levels`)."""

    encoding: Any

    def encoded_form(self) -> SpinForm: ...


@jax.jit
def encoded_form(model: PyTree) -> SpinForm:
    """`model.encoded_form()`, compiled once for all models of a shape."""
    return model.encoded_form()


@jax.jit
def spin_form(model: PyTree) -> SpinForm:
    """`model.spin_form()`, compiled once for all models of a shape."""
    return model.spin_form()


class Outer(NamedTuple):
    """Per-sample derivatives ∂ log ψ(s)/∂λ_{ij} = left[s, i] · right[s, j] of a leaf (a, b), not formed."""

    left: Num[Array, "S a"]
    right: Num[Array, "S b"]


class Direct(NamedTuple):
    """Per-sample derivatives of a leaf, formed: values[s] has the leaf's shape."""

    values: Num[Array, "S ..."]


@runtime_checkable
class Factored(Protocol):
    """Per-sample gradients as outer products."""

    def factors(self, samples: Shaped[Array, "S N"]) -> Any:
        """The model's parameter pytree (`eqx.filter(model, eqx.is_inexact_array)`) with each parameter
        replaced by its `Outer` or `Direct`."""
        ...


@runtime_checkable
class Bipartite(Protocol):
    """Two layers without links inside a layer: each is drawn at once given the other."""

    def hidden_given_visible(self, v: Shaped[Array, "N"]) -> Num[Array, "M"]:
        """E[h | v]."""
        ...

    def visible_given_hidden(self, h: Shaped[Array, "M"]) -> Num[Array, "N"]:
        """E[v | h]."""
        ...


@runtime_checkable
class SpinSystem(Protocol):
    """A distribution of spins or states on a lattice, p = Ψ/Z, with an order parameter: `Ising`, `Potts`,
    `Clock`. Chains of samplers are watched along it."""

    @property
    def lattice(self) -> Lattice: ...

    @property
    def size(self) -> int:
        """The number of sites N."""
        ...

    @property
    def kind(self) -> Kind: ...

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]: ...

    def order(self, s: Shaped[Array, "... N"]) -> Num[Array, "... c"]:
        """The c components of the order parameter."""
        ...

    def order_squared(self, s: Shaped[Array, "... N"]) -> Num[Array, "..."]:
        """m², whose mean tells order from disorder."""
        ...


@runtime_checkable
class DrawsItself(Protocol):
    """A normalised state that draws its own configurations, each independent of the others, from |ψ|² inside
    its Hilbert space: the autoregressive ones."""

    @property
    def hilbert(self) -> HilbertSpace: ...

    def draw(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` configurations of |ψ|², as the space writes them. Pure, to be compiled by the caller."""
        ...


@runtime_checkable
class Tabulates(Protocol):
    """A model whose amplitudes come all at once, such as a circuit's: whoever evaluates it in several parts
    takes `tabulated(model)`."""

    def tabulated(self) -> Any:
        """A model of the same log ψ that looks it up."""
        ...


def tabulated(model: Any) -> Any:
    """`model`, with its amplitudes computed once where it can. Pure: also under `jax.jit`.

    >>> import intertwine as it
    >>> type(tabulated(it.Circuit(2, [it.qubits.h(0)]))).__name__
    'StateTable'
    """
    return model.tabulated() if isinstance(model, Tabulates) else model


class Steps(NamedTuple):
    """ψ = Π_t ψ_t(n_t | n_<t) one mode after another, B configurations at a time.

    begin: B → cache, a pytree of arrays (B, …). step: (cache, t, levels (B,) chosen at t − 1) → (cache,
    log ψ_t of every level (B, d)). A cache that has gone to the end serves again from any t on: what later
    steps left in it is not read.
    """

    begin: Callable[[int], Any]
    step: Callable[[Any, Array, Array], tuple[Any, Array]]


@runtime_checkable
class Stepwise(Protocol):
    """A product of conditionals, mode after mode: two configurations that are alike up to a mode share
    everything before it."""

    @property
    def hilbert(self) -> HilbertSpace: ...

    @property
    def order(self) -> tuple[int, ...]:
        """The modes as they are visited."""
        ...

    def steps(self) -> Steps: ...
