r"""Local values of an operator: E_loc(s) = Σ_{s'} ⟨s|H|s'⟩ ψ(s')/ψ(s).

Four ways to the same numbers, the first that the model and the machine allow (and `of_orbits`, where all
orbits of a symmetry are there):

    host         a `SpinFormed` model on one CPU: compiled kernels, no transcendental function per element; a
                 sum of determinants (`DeterminantForm`): compiled hops
    incremental  an `Incremental` model: ψ(s')/ψ(s) from the cache of s, O(M) per element, in JAX
    prefixes     a `Stepwise` model, such as an autoregressive one: from the first change on
    generic      any model: ψ evaluated on the connected configurations alone, in JAX

The JAX paths walk the samples in chunks, so that memory stays bounded whatever the number of connected
elements.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh, PartitionSpec as P
from jaxtyping import Int, Num, PyTree, Shaped

from intertwine._checks import fail, one_of
from intertwine.models.fermions.forms import determinant_form, fits_tables, has_determinants
from intertwine.models.numerics import exp_of
from intertwine.models.protocols import SpinFormed, Stepwise, Tabulates, encoded_form, spin_form, tabulated
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.moves import (
    AnyOperator,
    check_operator,
    is_incremental,
    log_ratios,
    moved,
    on_host_levels,
)
from intertwine.quantum.vmc.prefix_local_energy import prefix_values
from intertwine.sampling.sharding import AXIS, mesh_of

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

CHUNK_ELEMENTS = 1 << 24
"""Numbers that one chunk of the JAX paths may hold at once (128 MB in float64)."""


def local_values(
    operator: AnyOperator,
    model: LogAmplitude,
    configurations: Shaped[Array, "S N"],
    *,
    backend: str = "auto",
    most: int | None = None,
) -> Num[Array, "S"]:
    """E_loc of each configuration, (S,); real for a real operator and a real model, else complex.

    configurations: (S, N) spins ±1. backend: "auto", "host", "incremental", "prefixes" or
    "generic". most: configurations that the generic path evaluates at once; None for as many as the model
    likes.

    Raises InputError where sizes differ, or the backend needs a capability that the model lacks.

    >>> import jax, jax.numpy as jnp
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.quantum.operators.operator import Operator
    >>> H = Operator.from_strings(2, [(1.0, {0: "Z", 1: "Z"}), (0.5, {0: "X"})])
    >>> uniform = RBM(2, hidden=1, scale=0.0, key=jax.random.key(0))
    >>> local_values(H, uniform, jnp.array([[1, 1], [1, -1]], jnp.int8)).tolist()
    [1.5, -0.5]
    """
    one_of("backend", backend, ("auto", "host", "incremental", "prefixes", "generic"))
    check_sizes(operator, model)
    shape = jnp.shape(configurations)
    if len(shape) != 2 or shape[1] != operator.size:
        raise fail("configurations", f"an array of shape (S, {operator.size})", f"shape {shape}")
    if backend in ("auto", "host") and on_host_levels(operator, model) and _on_one_cpu(configurations):
        from intertwine.models.kernels.level_kernels import level_form
        from intertwine.quantum.vmc import host_levels

        level = level_form(encoded_form(model), model.encoding)  # type: ignore[attr-defined]
        return jnp.asarray(host_levels.local_values(operator, level, configurations))  # type: ignore[arg-type]
    if backend == "host" and not isinstance(model, SpinFormed):
        raise fail("backend", "'incremental' or 'generic' for this model", "'host'", "it has no spin_form()")
    if backend == "incremental" and not is_incremental(operator, model):
        raise fail("backend", "'generic' for this model", "'incremental'", "it has no start, log_ratio, flip")
    if backend == "prefixes" and not isinstance(model, Stepwise):
        raise fail("backend", "'generic' for this model", "'prefixes'", "it has no steps()")
    if backend == "host" or (
        backend == "auto" and isinstance(model, SpinFormed) and _on_one_cpu(configurations)
    ):
        from intertwine.quantum.vmc import host_local_energy

        return jnp.asarray(
            host_local_energy.local_values(_of_spins(operator), spin_form(model), configurations)
        )
    if backend == "auto" and has_determinants(model) and _on_one_cpu(configurations):
        from intertwine.quantum.vmc import host_hopping

        form = determinant_form(model)
        if fits_tables(form):
            return jnp.asarray(host_hopping.local_values(_of_spins(operator), form, configurations))
    way, kind = backend, model.kind
    model = _tabulated(model) if isinstance(model, Tabulates) else model
    if backend == "auto":
        stepwise = isinstance(model, Stepwise) and isinstance(operator, Operator)
        able = {"incremental": is_incremental(operator, model), "prefixes": stepwise}
        way = next((name for name, can in able.items() if can), "generic")
    values = _in_jax(operator, model, jnp.asarray(configurations), way, mesh_of(configurations), most)
    return values.real if kind == "signed" and operator.is_real else values


@jax.jit
def of_orbits(
    operator: AnyOperator,
    model: LogAmplitude,
    configurations: Shaped[Array, "n N"],
    connected: Int[Array, "n F"],
) -> Num[Array, "n"]:
    """E_loc of one configuration of each orbit, where ψ and H are the same along orbits: ψ(s') is that of the
    orbit which s' is in, so that ψ is evaluated once for each orbit. connected: (n, F), those orbits for the
    flip sets of `operator` (`OrbitEnumeration.connected`)."""
    own = log_amplitudes(model, configurations)
    elements = jax.vmap(operator.elements)(configurations)
    diagonal = jax.vmap(operator.diagonal)(configurations)
    return jax.vmap(_summed)(diagonal, elements, own[connected] - own[:, None])


@jax.jit
def of_orbit_rows(
    model: LogAmplitude,
    configurations: Shaped[Array, "n N"],
    diagonal: Num[Array, "n"],
    elements: Num[Array, "n K"],
    orbits: Int[Array, "n K"],
) -> Num[Array, "n"]:
    """`of_orbits` with the elements of the operator given: the orbit that each leads to, and the diagonal."""
    own = log_amplitudes(model, configurations)
    return jax.vmap(_summed)(diagonal, elements, own[orbits] - own[:, None])


@jax.jit
def _tabulated(model: PyTree) -> Any:
    """All its amplitudes, compiled once for all models of a shape."""
    return tabulated(model)


def compile_ahead(operator: AnyOperator, model: LogAmplitude) -> None:
    """Begin in the background to compile what `local_values` needs, where the host kernels will run."""
    if has_determinants(model) and jax.default_backend() == "cpu":
        from intertwine.quantum.vmc import host_hopping

        form = determinant_form(model)
        if fits_tables(form):
            host_hopping.warm_up(operator, form)  # type: ignore[arg-type]
    if isinstance(model, SpinFormed) and jax.default_backend() == "cpu":
        from intertwine.quantum.vmc import host_local_energy

        host_local_energy.warm_up(_of_spins(operator), spin_form(model))


@jax.jit
def log_amplitudes(model: LogAmplitude, configurations: Shaped[Array, "S N"]) -> Num[Array, "S"]:
    """log ψ of each configuration, (S,), as many at a time as the model takes."""
    model = tabulated(model)
    return _amplitudes(model, configurations, getattr(model, "evaluation_batch", configurations.shape[0]))


def local_dtype(operator: AnyOperator, model: LogAmplitude) -> Any:
    """The dtype of `local_values`."""
    amplitude = jax.eval_shape(model, jax.ShapeDtypeStruct((operator.size,), jnp.int8)).dtype
    amplitude = jnp.finfo(amplitude).dtype if model.kind == "signed" else amplitude
    return jnp.result_type(amplitude, jnp.complex64) if not operator.is_real else amplitude


def check_sizes(operator: AnyOperator, model: LogAmplitude | None) -> None:
    """Raise unless operator and model have the same number of sites."""
    check_operator(operator)
    size = getattr(model, "size", None)
    if size is None or not callable(model) or not hasattr(model, "kind"):
        raise fail(
            "model", "a model with size, kind and a call", model, "wrap a function with FunctionAmplitude"
        )
    if size != operator.size:
        remedy = f"build the model with size={operator.size}"
        raise fail(
            "model", f"one of {operator.size} sites, as the operator has", f"one of {size} sites", remedy
        )


def _of_spins(operator: AnyOperator) -> Operator:
    """The operator, one of two-level modes, as a model of spins needs it."""
    if not isinstance(operator, Operator):
        raise fail("model", "one of modes with several levels, as the operator has", "one of spins ±1")
    return operator


def _on_one_cpu(configurations: Array) -> bool:
    if not isinstance(configurations, Array):
        return jax.default_backend() == "cpu"
    try:
        devices = configurations.devices()
    except jax.errors.ConcretizationTypeError:  # inside a jit
        return False
    return len(devices) == 1 and next(iter(devices)).platform == "cpu"


@partial(jax.jit, static_argnames=("way", "mesh", "most"))
def _in_jax(
    operator: AnyOperator,
    model: LogAmplitude,
    configurations: Array,
    way: str,
    mesh: Mesh | None,
    most: int | None,
) -> Array:
    """Chunk by chunk; on a mesh each device walks through its own samples."""
    if mesh is None:
        return _in_chunks(operator, model, configurations, way, most)
    work = partial(_in_chunks, way=way, most=most)
    cut = P(AXIS)
    return jax.shard_map(work, mesh=mesh, in_specs=(P(), P(), cut), out_specs=cut)(
        operator, model, configurations
    )


def _in_chunks(
    operator: AnyOperator, model: LogAmplitude, configurations: Array, way: str, most: int | None
) -> Array:
    terms = operator.n_connected + 1
    chunk = max(1, CHUNK_ELEMENTS // (terms * 8 * operator.size))
    if way != "incremental":
        whole = prefix_values if way == "prefixes" else partial(_generic, most=most)
        return _in_even_parts(partial(whole, operator, model), configurations, chunk)
    one = partial(_incremental, operator, model)
    if configurations.shape[0] <= chunk:
        return jax.vmap(one)(configurations)
    return jax.lax.map(one, configurations, batch_size=chunk)


def _in_even_parts(work: Callable[[Array], Array], rows: Array, most: int) -> Array:
    """`work` on parts of at most `most` rows, equally many each; the last one filled up."""
    count = rows.shape[0]
    parts = -(-count // most)
    if parts == 1:
        return work(rows)
    width = -(-count // parts)
    padded = jnp.pad(rows, ((0, parts * width - count), (0, 0)), mode="edge")
    return jax.lax.map(work, padded.reshape(parts, width, -1)).reshape(-1)[:count]


def _incremental(operator: AnyOperator, model: PyTree, s: Array) -> Array:
    cache = model.start(s)
    ratios = log_ratios(operator, model, cache, s)
    return _summed(operator.diagonal(s), operator.elements(s), ratios)


def _summed(diagonal: Array, elements: Array, log_ratios: Array) -> Array:
    """diagonal + Σ elements e^{log_ratios}; a vanishing element counts 0 whatever its ratio."""
    there = elements != 0
    ratios = exp_of(jnp.where(there, log_ratios, 0))
    return diagonal + jnp.sum(jnp.where(there, elements * ratios, 0))


def _generic(
    operator: AnyOperator, model: LogAmplitude, configurations: Array, most: int | None = None
) -> Array:
    """The pairs (sample, flip set) whose element does not vanish are gathered into one list, and ψ is
    evaluated for these alone, a batch at a time: for a Heisenberg model the antiparallel bonds. The number of
    batches follows the list, their shape does not."""
    count, width = configurations.shape[0], operator.n_connected
    diagonal, elements = (
        jax.vmap(operator.diagonal)(configurations),
        jax.vmap(operator.elements)(configurations),
    )
    likes = getattr(model, "evaluation_batch", count * max(width, 1))
    batch = min(likes, count * max(width, 1), most or likes)
    own = _amplitudes(model, configurations, batch)
    total = diagonal.astype(jnp.result_type(diagonal, elements, own))
    if width == 0:
        return total
    there = elements.reshape(-1) != 0
    pairs = jnp.flatnonzero(there, size=-(-there.size // batch) * batch, fill_value=there.size)

    def body(i: Array, total: Array) -> Array:
        chosen = jax.lax.dynamic_slice_in_dim(pairs, i * batch, batch)
        sample, flip = jnp.divmod(jnp.minimum(chosen, there.size - 1), width)
        s = configurations[sample]
        after = moved(operator, s, flip)
        ratios = exp_of(jax.vmap(model)(after) - own[sample])
        value = elements[sample, flip] * ratios
        return total.at[sample].add(jnp.where(chosen < there.size, value, 0))

    batches = -(-jnp.count_nonzero(there) // batch)
    return jax.lax.fori_loop(0, batches, body, total)


def _amplitudes(model: LogAmplitude, configurations: Array, batch: int) -> Array:
    """log ψ of each configuration, at most `batch` at a time."""
    return _in_even_parts(jax.vmap(model), configurations, batch)
