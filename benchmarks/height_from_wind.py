r"""Height of the 500 hPa surface from winds, ERA-Interim monthly means: fixed balances, and one that is
learned.

    python benchmarks/height_from_wind.py eraint_uvz.nc [balance] [cnn]

With η = f + ζ (linear: η = f), Φ = g h follows from the divergence equation at rest,

    Δ(Φ + ½ v²) = r̂·(∇ × η v),

all of it by layers of the library: vorticity, products, inverse Laplacian. Learned: the same products f v,
ζ v and ½ v², then one convolution to a scalar, five numbers for each degree l < 64, found by least squares
on January at the levels 200, 500 and 850 hPa. Its ridge is chosen within January, by leaving each level out
in turn; July is not looked at. Errors are root mean squares over the globe with its mean taken off, on July
at 500 hPa as it is and with the globe, and f with it, turned at random.

Beside them a network of the plane that knows nothing of the sphere but f and that longitudes close: 3 × 3
kernels with dilations 1, 2, 4, 8 over every fourth latitude and longitude, 1,465 weights (the map of
`intertwine fields --network fluxes:1` has 20), learned on the same three fields of January by Adam, each
point counted by its area; its settings were not chosen by July.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it
from intertwine.learning.fields.placing import sphere_of
from intertwine.spaces.sphere.calculus import apply_operator, with_bandlimit

RADIUS, GRAVITY, OMEGA = 6371000.0, 9.80665, 7.292e-5
DEGREES, RIDGES, TURNS, STEPS = 64, (1e-8, 1e-6, 1e-4, 1e-3, 1e-2), 3, 2000


def balance(sphere, wind, f, *, linear, rotational):
    """Height of a wind, metres."""
    if rotational:
        wind = apply_operator(sphere, "rotational part", wind)
    eta = f if linear else f + apply_operator(sphere, "vorticity", wind, radius=RADIUS)
    curl = apply_operator(sphere, "vorticity", eta * wind, radius=RADIUS)
    phi = apply_operator(sphere, "inverse laplacian", curl, radius=RADIUS)
    return (phi if linear else phi - 0.5 * (wind**2).sum(-1, keepdims=True)) / GRAVITY


def products(sphere, wind, f):
    """Coefficients (l, m, 5) of f v, ζ v and ½ v²."""
    zeta = apply_operator(sphere, "vorticity", wind, radius=RADIUS)
    parts = [
        (f * wind, "vector"),
        (zeta * wind, "vector"),
        (0.5 * (wind**2).sum(-1, keepdims=True), "scalar"),
    ]
    found = [with_bandlimit(sphere.analysis(x, kind), DEGREES) for x, kind in parts]
    return np.asarray(jnp.concatenate(found, axis=-1))


def fitted(sets, ridge):
    """(l, 5): the convolution of least squares, degree by degree; ridge: of features of norm 1."""
    kernel = np.zeros((DEGREES, 5))
    for degree in range(1, DEGREES):
        rows, right = [], []
        for x, y in sets:
            weight = np.where(np.arange(degree + 1) > 0, 2**0.5, 1.0)[:, None]  # orders m and −m
            for part in (np.real, np.imag):
                rows.append(weight * part(x[degree, : degree + 1]))
                right.append(weight[:, 0] * part(y[degree, : degree + 1, 0]))
        a, b = np.concatenate(rows), np.concatenate(right)
        size = np.linalg.norm(a, axis=0)
        gram = (a / size).T @ (a / size) + ridge * np.eye(5)
        kernel[degree] = np.linalg.solve(gram, (a / size).T @ b) / size
    return kernel


def said(sphere, kernel, x):
    """Height of products, metres, without its mean."""
    coefficients = jnp.asarray((x * kernel[:, None]).sum(-1, keepdims=True))
    return sphere.synthesis(with_bandlimit(coefficients, sphere.bandlimit), "scalar")


def plane_network(parameters, x):
    """Fields (B, rows, columns, 3) → (B, rows, columns, 1), longitudes around, latitudes to the edge."""
    for number, (kernel, bias) in enumerate(parameters):
        reach = 2**number
        x = jnp.pad(x, [(0, 0), (0, 0), (reach, reach), (0, 0)], mode="wrap")
        x = jnp.pad(x, [(0, 0), (reach, reach), (0, 0), (0, 0)], mode="edge")
        words = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "VALID", rhs_dilation=(reach, reach), dimension_numbers=words
        )
        x = x + bias
        x = jax.nn.gelu(x) if number < len(parameters) - 1 else x
    return x


def plane(sphere, wind, f, height):
    """(inputs, standardised height less its mean, shares of the area) at every fourth point."""
    share = sphere.measure[::4, ::4]
    share = share / share.sum()
    x = np.concatenate([np.asarray(wind) / 15.0, np.asarray(f) / OMEGA], axis=-1)[::4, ::4]
    y = np.asarray(height)[::4, ::4, 0]
    return x.astype(np.float32), ((y - (y * share).sum()) / 300.0).astype(np.float32), share


def learned_on_the_plane(sets, steps, key):
    """The weights after so many steps of Adam, and how many there are."""
    x, y, share = np.stack([s[0] for s in sets]), np.stack([s[1] for s in sets]), sets[0][2]
    share = jnp.asarray(share, jnp.float32)
    sizes = [3, 8, 8, 8, 1]
    parameters = []
    for number, pair in enumerate(pairwise(sizes)):
        drawn = jax.random.normal(jax.random.fold_in(key, number), (3, 3, *pair), jnp.float32)
        parameters.append((drawn * (2 / (9 * pair[0])) ** 0.5, jnp.zeros(pair[1], jnp.float32)))
    rule = optax.adam(optax.cosine_decay_schedule(1e-2, steps))

    def loss(parameters):
        off = plane_network(parameters, x)[..., 0] - y
        return (off**2 * share).sum((1, 2)).mean()

    @jax.jit
    def step(parameters, state):
        change, state = rule.update(jax.grad(loss)(parameters), state)
        return optax.apply_updates(parameters, change), state

    state = rule.init(parameters)
    for _ in range(steps):
        parameters, state = step(parameters, state)
    return parameters, sum(leaf.size for leaf in jax.tree.leaves(parameters))


def main(path: str, *parts: str) -> None:
    jax.config.update("jax_enable_x64", True)
    begun, fields = time.perf_counter(), it.data.load_fields(path)
    sphere = sphere_of(fields.layout)
    f = jnp.asarray(2 * OMEGA * np.cos(sphere.points[..., :1]))
    if not parts or "cnn" in parts:
        beside(sphere, fields, f)
    if not parts or "balance" in parts:
        balances(sphere, fields, f)
    print(f"{time.perf_counter() - begun:.0f} s")


def beside(sphere, fields, f):
    """The network of the plane."""

    def sample(month, level):
        chosen = fields.select(month=month, level=level)
        return chosen.stack("u:v")[0], f, chosen.stack("z")[0] / GRAVITY

    january = [plane(sphere, *sample(1, level)) for level in (200, 500, 850)]
    parameters, count = learned_on_the_plane(january, STEPS, jax.random.key(0))

    def error(x, y, share):
        off = 300 * (np.asarray(plane_network(parameters, x[None]))[0, ..., 0] - y)
        return float(np.sqrt(((off - (off * share).sum()) ** 2 * share).sum()))

    print(f"network of the plane, {count} weights, January, 500 hPa: {error(*january[1]):.1f} m")
    july = sample(7, 500)
    print(f"network of the plane, July: {error(*plane(sphere, *july)):.1f} m", flush=True)
    for turn in sphere.random_elements(TURNS, key=jax.random.key(0)):
        kinds = ("vector", "scalar", "scalar")
        moved = [sphere.rotate(turn, x, kind) for x, kind in zip(july, kinds, strict=True)]
        words = sphere.element_name(turn)
        print(f"network of the plane, July, {words}: {error(*plane(sphere, *moved)):.1f} m", flush=True)


def balances(sphere, fields, f):
    """The balances, and the map of least squares."""

    def sample(month, level):
        chosen = fields.select(month=month, level=level)
        return jnp.asarray(chosen.stack("u:v")[0]), jnp.asarray(chosen.stack("z")[0] / GRAVITY)

    def error(guess, height):
        off = np.asarray(guess - height)[..., 0]
        return float(np.sqrt(((off - (off * sphere.measure).sum()) ** 2 * sphere.measure).sum()))

    wind, height = sample(7, 500)
    print(f"July, 500 hPa: rms of the height {error(0 * height, height):.3f} m")
    for words, linear, rotational in (
        ("linear balance, rotational wind", True, True),
        ("non-linear balance, rotational wind", False, True),
        ("non-linear balance, full wind", False, False),
    ):
        found = balance(sphere, wind, f, linear=linear, rotational=rotational)
        print(f"{words}: {error(found, height):.4f} m", flush=True)
    january = []
    for level in (200, 500, 850):
        blowing, there = sample(1, level)
        target = np.asarray(with_bandlimit(sphere.analysis(there, "scalar"), DEGREES))
        january.append((products(sphere, blowing, f), target, there))

    def left_out(ridge):
        worst = []
        for k, (x, _, there) in enumerate(january):
            kernel = fitted([pair[:2] for n, pair in enumerate(january) if n != k], ridge)
            worst.append(error(said(sphere, kernel, x), there) / error(0 * there, there))
        return float(np.mean(worst))

    shares = {ridge: left_out(ridge) for ridge in RIDGES}
    ridge = min(shares, key=lambda r: shares[r])
    print(
        "left out in January, share of the rms:", {r: round(s, 4) for r, s in shares.items()}, "taken:", ridge
    )
    kernel = fitted([pair[:2] for pair in january], ridge)
    print(f"learned, January itself: {error(said(sphere, kernel, january[1][0]), january[1][2]):.3f} m")
    print(
        f"learned, July: {error(said(sphere, kernel, products(sphere, wind, f)), height):.3f} m", flush=True
    )
    for turn in sphere.random_elements(TURNS, key=jax.random.key(0)):
        moved = [
            sphere.rotate(turn, x, kind) for x, kind in ((wind, "vector"), (f, "scalar"), (height, "scalar"))
        ]
        found = said(sphere, kernel, products(sphere, moved[0], moved[1]))
        print(f"learned, July, {sphere.element_name(turn)}: {error(found, moved[2]):.3f} m", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
