r"""Local values of an operator on the host: E_loc(s) = Σ_{s'} ⟨s|H|s'⟩ ψ(s')/ψ(s) for a `SpinForm`.

ψ(s')/ψ(s) is a product over hidden units from the tables of `models.host_tables`, and ⟨s|H|s'⟩ of a flip
set a look-up in a table of the spins that it depends on; elements that vanish are skipped. One core takes a
block of configurations. Products that leave the range of floating-point numbers, and weights too large for
tables, are done in logarithms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._checks import fail
from intertwine._compile import COMPLEX, kernel
from intertwine.models.kernels import host_tables
from intertwine.models.kernels.host_kernels import multiply, product
from intertwine.models.kernels.host_tables import LARGEST, SMALLEST, HostForm
from intertwine.models.protocols import SpinForm
from intertwine.quantum.vmc.host_operator import HostOperator, parts, prepare
from intertwine.quantum.vmc.host_product import complex_product

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

BLOCK_NUMBERS = 12_000
"""Hidden units of all configurations of a block: arrays below 128 kB, which the allocator reuses. A block
does not depend on the number of threads."""
LARGEST_LOG = 700.0


def local_values(operator: Operator, form: SpinForm, configurations: Array | np.ndarray) -> np.ndarray:
    """E_loc of each configuration: (S,) float64 for a real operator and form, else complex128.

    operator: an `Operator`. form: the wave function. configurations: int8 (S, N) spins ±1.

    Raises InputError where sizes differ.

    >>> from intertwine.quantum.operators.operator import Operator
    >>> H = Operator.from_strings(2, [(1.0, {0: "Z", 1: "Z"}), (0.5, {0: "X"})])
    >>> uniform = SpinForm(np.zeros(()), np.zeros(2), None, np.zeros(1), np.zeros((2, 1)))
    >>> local_values(H, uniform, np.array([[1, 1], [1, -1]]))
    array([ 1.5, -0.5])
    """
    spins = np.asarray(configurations, np.int8)
    size = operator.size
    if spins.ndim != 2 or spins.shape[1] != size or form.weights.shape[0] != size:
        expected = f"spins of shape (S, {size}) and a form of {size} sites, as the operator has"
        raise fail("configurations", expected, f"{spins.shape} and {form.weights.shape[0]} sites")
    ready, host = prepare(operator), host_tables.host_form(form)
    plan = table_plan(ready, host)
    extended = np.ones((len(spins), size + 1), np.int8)
    extended[:, :size] = spins
    out = np.empty((len(spins), 2))

    length = min(256, max(16, BLOCK_NUMBERS // max(1, host.rows.shape[1])))

    def blocks(start: int, stop: int) -> None:
        for b in range(start, stop):
            part = slice(b * length, (b + 1) * length)
            _block(ready, host, plan, extended[part], out[part])

    _threads.over_ranges(blocks, -(-len(spins) // length), pieces_per_thread=2)
    if ready.is_complex or host.is_complex:
        return out.view(np.complex128)[:, 0]
    return np.ascontiguousarray(out[:, 0])


def warm_up(operator: Operator, form: SpinForm) -> Any:
    """Begin in the background to compile what `local_values` needs for them; returns a future."""
    return _threads.background(lambda: local_values(operator, form, np.ones((1, operator.size), np.int8)))


class TablePlan(NamedTuple):
    """Rows of the flip sets for opposite and for equal spins of a pair (−1: composed), the table of rows
    (sites, pairs, unit), the factors Π E^{−1/2} e^{∓A} (R, 2, 2) for a first spin up (0) and down (1),
    ln Π E^{−1/2} of each row, and whether some flip set is composed."""

    opposite: np.ndarray
    equal: np.ndarray
    rows: np.ndarray
    factors: np.ndarray
    logs: np.ndarray
    composed: bool


def table_plan(ready: HostOperator, host: HostForm) -> TablePlan:
    count = len(ready.flips)
    opposite, equal = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    single, pair = ready.counts == 1, ready.counts == 2
    opposite[single] = ready.flips[single, 0]
    tables, base = [host_tables.single_rows(host)], host.rows.shape[0]
    for which, needed, sign in ((opposite, ready.opposite, -1), (equal, ready.equal, 1)):
        sets = np.flatnonzero(pair & needed)
        if 0 < len(sets) * host.unit.nbytes <= host_tables.MAX_PAIR_BYTES or (len(sets) and not host.hidden):
            tables.append(host_tables.pair_rows(host, ready.flips[sets, :2], sign))
            which[sets] = base + np.arange(len(sets))
            base += len(sets)
    table = host_tables.joined([*tables, host_tables.unit_row(host)])
    with np.errstate(over="ignore", invalid="ignore"):
        logs, fields = (x[:, 0] + 1j * x[:, 1] for x in (table.logs, table.fields))
        factors = np.exp(np.stack([logs - fields, logs + fields], axis=1))
    missing = (opposite < 0) & ~(pair & ~ready.opposite) | pair & ready.equal & (equal < 0)
    composed = bool(missing.any())
    return TablePlan(opposite, equal, table.values, parts(factors), table.logs, composed)


def _block(
    ready: HostOperator, host: HostForm, plan: TablePlan, extended: np.ndarray, out: np.ndarray
) -> None:
    """Local values of a block of configurations (B, N + 1), the last column ones, into out (B, 2)."""
    spins = extended[:, :-1]
    running = running_products(ready, extended)
    wide = wide_elements(ready, extended, running)
    done = np.zeros(len(spins), bool)
    if not host.careful:
        pq = np.empty((len(spins), 4, host.rows.shape[1]))
        pq[:, :2] = host_tables.unit_pairs(host, spins)
        paired = host.coupling.size > 0
        general = paired or plan.composed
        local = host_tables.local_fields(host, spins) if general else None
        _run(
            ready.flips, ready.counts, ready.sites, ready.bits, ready.table, ready.offsets,
            ready.common, running, wide if wide.size else None, ready.diagonal, ready.diagonal_sites,
            plan.opposite, plan.equal, plan.rows, plan.factors, plan.logs if general else None, local,
            host.coupling if paired else None, COMPLEX if host.complex_units else None, extended, pq, out,
            done,
        )  # fmt: skip
    for c in np.flatnonzero(~done):
        value = _in_logarithms(ready, host, extended[c], wide[c], None if running is None else running[c])
        out[c] = value.real, value.imag


def running_products(ready: HostOperator, extended: np.ndarray) -> np.ndarray | None:
    """Π_{i<b} s_i for b = 0 … N of each configuration, int8 (B, N + 1), where some flip set needs them."""
    if ready.common.shape[1] == 0:
        return None
    out = np.ones_like(extended)
    np.cumprod(extended[:, :-1], axis=1, out=out[:, 1:])
    return out


def wide_elements(ready: HostOperator, extended: np.ndarray, running: np.ndarray | None) -> np.ndarray:
    """Elements of the flip sets that are not in the table: (B, W, 2)."""
    wide = np.flatnonzero(ready.offsets < 0)
    out = np.zeros((len(extended), len(wide), 2))
    for w, k in enumerate(wide):
        products = np.prod(extended[:, ready.signs[k]], axis=-1, dtype=np.float64)
        if running is not None:
            products *= np.prod(running[:, ready.common[k]], axis=-1)[:, None]
        out[:, w] = parts(products @ ready.coefficients[k])
    return out


def _in_logarithms(
    ready: HostOperator, host: HostForm, extended: np.ndarray, wide: np.ndarray, running: np.ndarray | None
) -> complex:
    """The local value of one configuration (N + 1,) without products that could leave the range of
    numbers.
    """
    count, size = len(ready.flips), len(extended) - 1
    indices = np.sum((extended[ready.sites] < 0) << np.arange(ready.sites.shape[1]), axis=1)
    values = ready.table[np.maximum(ready.offsets, 0) + np.where(ready.offsets < 0, 0, indices)]
    if running is not None:
        values = values * np.prod(running[ready.common], axis=-1)[:, None]
    values[ready.offsets < 0] = wide
    elements = values[:, 0] + 1j * values[:, 1]
    there = np.flatnonzero(elements)
    flipped = np.tile(extended, (count, 1))
    flipped[np.arange(count)[:, None], ready.flips] *= -1
    here = host_tables.log_amplitude(host, extended[None, :size])
    logs = host_tables.log_amplitude(host, flipped[there, :size]) - here
    largest = max(0.0, float(np.max(np.real(logs), initial=0.0)))
    diagonal = np.prod(extended[ready.diagonal_sites], axis=-1, dtype=np.float64) @ ready.diagonal
    scaled = np.sum(elements[there] * np.exp(logs - largest)) + complex(*diagonal) * np.exp(-largest)
    if largest < LARGEST_LOG:
        return complex(scaled * np.exp(largest))
    return complex(_infinite(scaled.real), _infinite(scaled.imag))  # beyond float64, but with its sign


def _infinite(x: float) -> float:
    return float(np.sign(x) * np.inf) if x != 0 else 0.0


@kernel
def _run(
    flips: np.ndarray,
    counts: np.ndarray,
    sites: np.ndarray,
    bits: np.ndarray,
    table: np.ndarray,
    offsets: np.ndarray,
    common: np.ndarray,
    running: np.ndarray,
    wide: np.ndarray,
    diagonal: np.ndarray,
    diagonal_sites: np.ndarray,
    opposite: np.ndarray,
    equal: np.ndarray,
    rows: np.ndarray,
    factors: np.ndarray,
    logs: np.ndarray,
    local: np.ndarray,
    coupling: np.ndarray,
    complex_units: bool,
    spins: np.ndarray,
    pq: np.ndarray,
    out: np.ndarray,
    done: np.ndarray,
):
    """Local values of a block; `done` stays False where a product left the range of numbers. Element −1 of a
    configuration is its own Π (p + q), by which the products of its neighbours are divided. None: running
    where no flip set has a common sign; wide where the table has all elements; logs and local where all flip
    sets are rows; coupling (and then logs) where there is no pair term; complex_units where they are real."""
    width, unit = rows.shape[1], rows.shape[0] - 1
    units = width if complex_units is None else width // 2
    for c in range(spins.shape[0]):
        real, imag = 0.0, 0.0
        for t in range(diagonal.shape[0]):
            sign = 1
            for d in range(diagonal_sites.shape[1]):
                sign *= spins[c, diagonal_sites[t, d]]
            real += sign * diagonal[t, 0]
            imag += sign * diagonal[t, 1]
        norm_real, norm_imag, within = 1.0, 0.0, True
        for k in range(-1, flips.shape[0]):
            h_real, h_imag = 1.0, 0.0
            a, b, r = 0, 1, unit
            composed = False
            if k >= 0:
                v = offsets[k]
                for d in range(bits[k] if v >= 0 else 0):
                    if spins[c, sites[k, d]] < 0:
                        v += 1 << d
                h_real, h_imag = table[max(v, 0), 0], table[max(v, 0), 1]
                if wide is not None and v < 0:
                    h_real, h_imag = wide[c, -1 - v, 0], wide[c, -1 - v, 1]
                if h_real == 0.0 and h_imag == 0.0:
                    continue
                if running is not None and v >= 0:
                    for d in range(common.shape[1]):
                        h_real *= running[c, common[k, d]]
                        h_imag *= running[c, common[k, d]]
                first = spins[c, flips[k, 0]]
                b = 0 if first > 0 else 1
                a, r = 1 - b, opposite[k]
                if counts[k] == 2 and first == spins[c, flips[k, 1]]:
                    r = equal[k]
                if logs is not None and r < 0:
                    composed = True
                    for i in range(width):
                        pq[c, 2, i] = pq[c, 0, i]
                        pq[c, 3, i] = pq[c, 1, i]
                    for f in range(counts[k]):
                        i = flips[k, f]
                        multiply(pq, c, 2 if spins[c, i] > 0 else 3, rows, i, units, complex_units)
                    a, b, r = 2, 3, unit
            x, y = 0.0, 0.0
            if complex_units is None:
                x = product(pq, c, a, b, rows, r, units)
            else:
                start = 4 * c * width
                x, y = complex_product(pq, start + a * width, start + b * width, rows, r * width, units)
            if not SMALLEST < abs(x) + abs(y) < LARGEST:
                within = False
                break
            if k < 0:
                square = x * x + y * y
                norm_real, norm_imag = x / square, -y / square
                continue
            if logs is not None:
                change, turn = logs[r, 0], logs[r, 1]
                for f in range(counts[k]):
                    i = flips[k, f]
                    change -= 2.0 * spins[c, i] * local[c, 0, i]
                    turn -= 2.0 * spins[c, i] * local[c, 1, i]
                    if composed:
                        change += logs[i, 0]
                        turn += logs[i, 1]
                    if coupling is not None:
                        for g in range(f):
                            j = flips[k, g]
                            change += 4.0 * spins[c, i] * spins[c, j] * coupling[0, i, j]
                            turn += 4.0 * spins[c, i] * spins[c, j] * coupling[1, i, j]
                u, w = np.exp(change) * np.cos(turn), np.exp(change) * np.sin(turn)
            else:
                u, w = factors[r, b, 0], factors[r, b, 1]
            x, y = x * norm_real - y * norm_imag, x * norm_imag + y * norm_real
            x, y = x * u - y * w, x * w + y * u
            real += h_real * x - h_imag * y
            imag += h_real * y + h_imag * x
        out[c, 0], out[c, 1] = real, imag
        done[c] = within and np.isfinite(real) and np.isfinite(imag)
