"""The error of non-linearities on the sphere against the fineness of their grid.

    python benchmarks/sphere_oversampling.py [L]

Fields of variance 1 with degrees below L and an equal share of each, three of them and three rotations: the
largest |f(g x) − g f(x)| over the largest |f(x)|, in double precision."""

import sys

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

import intertwine as it  # noqa: E402
from intertwine.layers import (  # noqa: E402
    FourierPointwise,
    Gated,
    NormNonlinearity,
    Oversampled,
    Pointwise,
    TensorProduct,
)

FACTORS = (1.0, 1.5, 2.0, 3.0, 4.0)
KEY = jax.random.key(0)


def rows(sphere):
    for name in ("gelu", "silu", "softplus", "tanh", "elu", "relu"):
        yield name, lambda name=name: Pointwise(sphere.scalar, name)
    yield "gated (gelu)", lambda: Gated(sphere.scalar + sphere.vector, "gelu")
    yield "norm (gelu)", lambda: NormNonlinearity(sphere.vector, "gelu")
    yield "tensor product", lambda: TensorProduct(sphere.scalar + sphere.vector, None, sphere.vector, key=KEY)
    yield "on SO(3) (gelu)", lambda: FourierPointwise.circle(sphere, 4, 1, "gelu", samples=36)


def main(limit):
    sphere = it.Sphere(limit)
    turns = sphere.random_elements(3, key=KEY)
    print(f"| L = {limit} | " + " | ".join(f"{factor:g}" for factor in FACTORS) + " |")
    print("|---" * (len(FACTORS) + 1) + "|")
    for name, build in rows(sphere):
        found = []
        for factor in FACTORS:
            layer = Oversampled(sphere, build(), factor)
            run = jax.jit(lambda x, layer=layer: layer(x))
            x = sphere.random_field(layer.rep_in, 3, key=KEY)
            y = run(x)
            errors = [
                run(sphere.rotate(g, x, layer.rep_in)) - sphere.rotate(g, y, layer.rep_out) for g in turns
            ]
            found.append(float(np.abs(errors).max() / np.abs(y).max()))
        print(f"| {name} | " + " | ".join(f"{error:.0e}" for error in found) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
