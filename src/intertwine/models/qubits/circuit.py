r"""A parametrised quantum circuit as a wave function of spins: ψ_λ(s) = ⟨s| U_L(λ_L) … U_1(λ_1) |start⟩.

The state vector of up to 22 qubits is computed exactly, layer by layer; a layer that is repeated is one
compiled loop, so that deep circuits compile as fast as shallow ones. It is normalised: samples are drawn from
|ψ|² without chains, and |ψ|² as the distribution of data is a Born machine (Cheng, Chen & Wang 2018; Liu &
Wang, PRA 98, 062324 (2018)) with exact likelihoods. With the energy of a Hamiltonian it is the variational
quantum eigensolver (Peruzzo et al. 2014), and stochastic reconfiguration is its quantum natural gradient
(Stokes, Izaac, Killoran & Carleo, Quantum 4, 269 (2020)).

λ are real, log ψ is complex. Evaluated on many configurations under one `vmap`, the vector is computed once;
`tabulated()` keeps it for callers that go in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import DTypeLike
from jaxtyping import Complex, Float, Int8, PyTree, Shaped

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Direct, Kind
from intertwine.models.qubits.gates import Gate, Layer, layer
from intertwine.models.qubits.moves import applied
from intertwine.models.qubits.state_table import StateTable, floored, number_of
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

MOST_QUBITS = 22
STARTS = ("zero", "plus")
TANGENTS = 2**22
"""Numbers that derivatives of the vector may hold at a time."""


class Circuit(eqx.Module):
    r"""A circuit of gates on qubits, |0⟩ = spin +1.

    size: the number of qubits, at most 22. layers: gates (`it.qubits.ry(0)`, …), which are one layer, or
    several `it.qubits.layer(gates, repeat)`, one after another. repeat: of the gates, where they are given
    alone. start: "zero" for |0…0⟩, "plus" for the uniform state.
    parameters: one array (repeat, λ of the layer) for each layer; None for normal ones of standard deviation
    `scale` drawn with `key`. dtype: float, float32 or float64.

    Raises InputError for more than 22 qubits (with the memory that it would take), wires that are not there,
    and parameters of another shape.

    >>> from intertwine.models.qubits import cnot, ry
    >>> gates = [ry(w) for w in range(3)] + [cnot(0, 1), cnot(1, 2)]
    >>> psi = Circuit(3, gates, repeat=2, key=jax.random.key(0))
    >>> [p.shape for p in psi.parameters], psi.vector().shape, psi(jnp.ones(3)).shape
    ([(2, 3)], (8,), ())
    """

    parameters: tuple[Float[Array, "repeat P"], ...]
    size: int = eqx.field(static=True)
    layers: tuple[Layer, ...] = eqx.field(static=True)
    begin: str = eqx.field(static=True)

    def __init__(
        self,
        size: int,
        layers: Iterable[Gate] | Sequence[Layer],
        *,
        repeat: int = 1,
        start: str = "zero",
        parameters: PyTree = None,
        scale: float = 0.1,
        dtype: DTypeLike = float,
        key: Array | None = None,
    ):
        self.size = check_qubits(size)
        self.layers = _layers(layers, repeat)
        self.begin = one_of("start", start, STARTS)
        kind = parameter_dtype(dtype)
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise fail("dtype", "a real type, of the angles", kind.name)
        for gate in (g for row in self.layers for g in row.gates):
            if max(gate.wires) >= self.size:
                raise fail("layers", f"wires from 0 to {self.size - 1}", gate.wires, "or a larger size")
        shapes = [(row.repeat, len(row.parameters)) for row in self.layers]
        if parameters is not None:
            self.parameters = _given(parameters, shapes, kind)
            return
        spread = check_scale(scale)
        if not any(n for _, n in shapes):
            self.parameters = tuple(jnp.zeros(shape, kind) for shape in shapes)
            return
        keys = jax.random.split(check_key(key), len(shapes))
        self.parameters = tuple(normal(k, s, kind, spread) for k, s in zip(keys, shapes, strict=True))

    @property
    def kind(self) -> Kind:
        return "complex"

    @property
    def hilbert(self) -> HilbertSpace:
        """Free spins ½."""
        return Spins(self.size)

    @property
    def depth(self) -> int:
        """How many layers there are, repetitions counted."""
        return sum(row.repeat for row in self.layers)

    def vector(self) -> Complex[Array, "D"]:
        """ψ of all configurations, (2^N,), of norm 1; the first qubit is the most significant bit.

        >>> import intertwine as it
        >>> bell = it.Circuit(2, [it.qubits.h(0), it.qubits.cnot(0, 1)])
        >>> [round(float(x), 6) for x in bell.vector().real]
        [0.707107, 0.0, 0.0, 0.707107]
        """
        return _vector(self)

    def __call__(self, s: Shaped[Array, "N"]) -> Complex[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1; an amplitude of 0 counts as 10⁻¹² (10⁻⁷)."""
        check_configuration(s, self.size)
        return jnp.log(floored(_vector(self)[number_of(s)]))

    def tabulated(self) -> StateTable:
        """All amplitudes, computed once: the same log ψ."""
        return StateTable(_vector(self))

    def draw(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` independent configurations of |ψ|²."""
        return self.tabulated().draw(count, key=key)

    def factors(self, samples: Shaped[Array, "S N"]) -> Circuit:
        """∂ log ψ(s)/∂λ of configurations (S, N), by tangents of the vector."""
        leaves, tree = jax.tree.flatten(self.parameters)
        ends = np.cumsum([leaf.size for leaf in leaves])
        count, numbers = int(ends[-1]), number_of(samples)
        below = floored(_vector(self)[numbers])

        def along(k: Array) -> Array:
            parts = jnp.split(jnp.zeros(count, leaves[0].dtype).at[k].set(1), ends[:-1])
            step = [p.reshape(leaf.shape) for p, leaf in zip(parts, leaves, strict=True)]
            moved = (self.parameters,), (jax.tree.unflatten(tree, step),)
            _, tangent = jax.jvp(lambda q: _vector(eqx.tree_at(_of, self, q)), *moved)
            return tangent[numbers] / below

        at_a_time = min(max(1, TANGENTS // 2**self.size), max(count, 1))
        rows = jax.lax.map(along, jnp.arange(count), batch_size=at_a_time)
        parts = [
            Direct(jnp.moveaxis(part, 0, -1).reshape(len(numbers), *leaf.shape))
            for part, leaf in zip(jnp.split(rows, ends[:-1]), leaves, strict=True)
        ]
        return eqx.tree_at(_of, self, tuple(parts))

    def unshared(self) -> Circuit:
        """The same state with a λ for every rotation, its angle θ, gates that stand still with one as well:
        what `parameter_shift` moves, and what a device needs to know.

        >>> import intertwine as it
        >>> ring = it.qubits.qaoa(it.Chain(4), 2, key=jax.random.key(0))
        >>> [p.shape for p in ring.parameters], [p.shape for p in ring.unshared().parameters]
        ([(2, 2)], [(2, 8)])
        """
        rows, values = [], []
        for row, parameters in zip(self.layers, self.parameters, strict=True):
            gates = tuple(
                g._replace(parameter="", angle=0.0, factor=1.0) if g.is_rotation else g for g in row.gates
            )
            rows.append(Layer(gates, row.repeat))
            values.append(jax.vmap(partial(_angles, row))(parameters))
        return eqx.tree_at(_of, _with_layers(self, tuple(rows)), tuple(values))

    def gates(self) -> list[tuple[Gate, float]]:
        """Every gate in the order in which it acts, with its angle θ (0 of one without), repetitions written
        out: what a device is to do.

        >>> import intertwine as it
        >>> psi = it.Circuit(1, [it.qubits.h(0), it.qubits.rx(0, None, angle=0.5)])
        >>> [(gate.word or gate.name, angle) for gate, angle in psi.gates()]
        [('h', 0.0), ('X', 0.5)]
        """
        found = []
        for row, parameters in zip(self.layers, self.unshared().parameters, strict=True):
            for values in np.asarray(parameters, np.float64).tolist():
                own = iter(values)
                found += [(gate, next(own) if gate.is_rotation else 0.0) for gate in row.gates]
        return found


def check_qubits(size: object) -> int:
    """The number of qubits; InputError beyond 22, with the memory that a state vector takes."""
    from intertwine._memory import in_words

    count = positive_int("size", size, "give the number of qubits")
    if count > MOST_QUBITS:
        needed = in_words(16 * 2.0**count)
        got = f"{count}, whose state vector alone takes {needed} (complex128)"
        raise fail("size", f"at most {MOST_QUBITS} qubits", got, "take a network, such as it.RBM, for more")
    return count


def _of(circuit: Circuit) -> tuple[Array, ...]:
    return circuit.parameters


def _with_layers(circuit: Circuit, rows: tuple[Layer, ...]) -> Circuit:
    """A circuit with the same qubits and start and other gates, parameters left to be filled in."""
    return Circuit(
        circuit.size, rows, start=circuit.begin,
        parameters=[np.zeros((row.repeat, len(row.parameters))) for row in rows],
        dtype=circuit.parameters[0].dtype,
    )  # fmt: skip


def _angles(row: Layer, parameters: Array) -> Array:
    """θ of the rotations of a layer, in their order."""
    from intertwine.models.qubits.moves import angles

    found = angles(row, parameters)
    return jnp.stack([found[k] for k in sorted(found)]) if found else jnp.zeros(0, parameters.dtype)


def _vector(circuit: Circuit) -> Complex[Array, "D"]:
    """The state after all layers; those that repeat in one loop each."""
    kind = jnp.result_type(circuit.parameters[0].dtype, jnp.complex64)
    count = 2**circuit.size
    if circuit.begin == "plus":
        psi = jnp.full((count,), count**-0.5, kind)
    else:
        psi = jnp.zeros((count,), kind).at[0].set(1)
    for row, parameters in zip(circuit.layers, circuit.parameters, strict=True):
        if row.repeat == 1:
            psi = applied(row, circuit.size, parameters[0], psi)
            continue

        def step(state: Array, own: Array, row: Layer = row) -> tuple[Array, None]:
            return applied(row, circuit.size, own, state), None

        psi, _ = jax.lax.scan(jax.checkpoint(step), psi, parameters)
    return psi


def _layers(layers: object, repeat: int) -> tuple[Layer, ...]:
    """The layers; gates alone are one."""
    expected = "gates, such as it.qubits.ry(0), or layers, it.qubits.layer(gates, repeat)"
    if isinstance(layers, Layer):
        layers = (layers,)
    if isinstance(layers, Gate) or not isinstance(layers, Iterable):
        raise fail("layers", f"a list of {expected}", layers)
    rows = tuple(layers)
    if rows and all(isinstance(row, Layer) for row in rows):
        if repeat != 1:
            raise fail("repeat", "1 where layers say how often they repeat", repeat)
        return tuple(layer(row.gates, row.repeat) for row in rows)
    if not rows or not all(isinstance(row, Gate) for row in rows):
        wrong = next((row for row in rows if not isinstance(row, Gate)), rows)
        raise fail("layers", expected, wrong)
    return (layer([row for row in rows if isinstance(row, Gate)], repeat),)


def _given(parameters: PyTree, shapes: list[tuple[int, int]], kind: jnp.dtype) -> tuple[Array, ...]:
    """Parameters as they were given, one array a layer; an array alone for one layer."""
    alone = hasattr(parameters, "shape")
    if not alone and len(shapes) == 1 and not any(hasattr(part, "shape") for part in parameters):
        alone = np.ndim(parameters) in (1, 2)
    several = [parameters] if alone else list(parameters)
    words = " and ".join(str(s) for s in shapes)
    if len(several) != len(shapes):
        raise fail("parameters", f"arrays of shapes {words}", f"{len(several)} arrays")
    found = []
    for values, shape in zip(several, shapes, strict=True):
        array = jnp.asarray(values, kind)
        array = array[None] if array.ndim == 1 and shape[0] == 1 else array
        known = not isinstance(array, Tracer)
        if array.shape != shape or (known and not np.isfinite(np.asarray(array)).all()):
            raise fail("parameters", f"finite angles of shape {words}", array)
        found.append(array)
    return tuple(found)
