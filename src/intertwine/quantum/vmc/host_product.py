r"""Π_k (a_k + b_k e_k) of complex rows, in vector instructions.

LLVM turns a product of real numbers into vector lanes by itself, but not one of complex numbers, whose real
and imaginary parts depend on each other: ten times slower. So this one loop is written as vectors of 16
lanes, each lane a complex product of every 16th unit; LLVM splits them to the machine's width.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from intertwine.models.kernels.host_tables import COMPLEX_LANES

_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, COMPLEX_LANES)
_FLAGS = ("contract",)


def _times(builder: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """The product of two complex vectors, each a pair of real ones."""

    def mul(u: Any, v: Any) -> Any:
        return builder.fmul(u, v, flags=_FLAGS)

    real = builder.fsub(mul(x[0], y[0]), mul(x[1], y[1]), flags=_FLAGS)
    return real, builder.fadd(mul(x[0], y[1]), mul(x[1], y[0]), flags=_FLAGS)


def _complex_product(
    typing_context: Any,
    pq: Any,
    first: Any,
    second: Any,
    rows: Any,
    third: Any,
    units: Any,
) -> Any:
    """complex_product(pq, a, b, rows, r, n) → (real, imaginary) of Π_k (pq_{a+k} + pq_{b+k} rows_{r+k}).

    pq, rows: C-contiguous float64 arrays, addressed by flat offsets a, b, r of rows of n real parts
    followed by n imaginary ones; n is a multiple of 16.
    """
    signature = types.UniTuple(types.float64, 2)(pq, types.intp, types.intp, rows, types.intp, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        pq_value, first_value, second_value, rows_value, third_value, n = arguments
        pq_data = context.make_array(sig.args[0])(context, builder, pq_value).data
        rows_data = context.make_array(sig.args[3])(context, builder, rows_value).data

        def load(data: Any, offset: Any, k: Any) -> tuple[Any, Any]:
            parts = []
            for start in (offset, builder.add(offset, n)):
                address = builder.gep(data, [builder.add(start, k)])
                vector = builder.bitcast(address, ir.PointerType(_VECTOR))
                parts.append(builder.load(vector, align=8))
            return parts[0], parts[1]

        real = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [1.0] * COMPLEX_LANES))
        imag = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0.0] * COMPLEX_LANES))
        step, zero = ir.Constant(n.type, COMPLEX_LANES), ir.Constant(n.type, 0)
        with cgutils.for_range_slice(builder, zero, n, step, n.type) as (k, _):
            be = _times(builder, load(pq_data, second_value, k), load(rows_data, third_value, k))
            a = load(pq_data, first_value, k)
            factor = builder.fadd(a[0], be[0], flags=_FLAGS), builder.fadd(a[1], be[1], flags=_FLAGS)
            product = _times(builder, (builder.load(real), builder.load(imag)), factor)
            builder.store(product[0], real)
            builder.store(product[1], imag)
        value, lanes = (builder.load(real), builder.load(imag)), COMPLEX_LANES
        while lanes > 1:
            lanes //= 2
            halves = []
            for start in (0, lanes):
                mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(start, start + lanes)))
                halves.append(tuple(builder.shuffle_vector(part, part, mask) for part in value))
            value = _times(builder, halves[0], halves[1])
        first_lane = ir.Constant(ir.IntType(32), 0)
        scalars = [builder.extract_element(part, first_lane) for part in value]
        return context.make_tuple(builder, sig.return_type, scalars)

    return signature, codegen


complex_product: Any = intrinsic(_complex_product)
