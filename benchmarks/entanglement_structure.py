"""Entanglement against structure: overlap and depth of circuits, and random RBMs.

    python benchmarks/entanglement_structure.py --part circuits [--picture FILE]
    python benchmarks/entanglement_structure.py --part rbms
    python benchmarks/entanglement_structure.py --part bounds
    python benchmarks/entanglement_structure.py --part trees

circuits: K = 2 on a ring; log2 of the rank of half the ring and of every second site, exact for weights that
are random whole numbers (modulo a prime, which can only lower it), the cut of the unrolled network, and the
entropy of half the ring as a share of Page's, for weights e^λ with Re λ normal (0.2) and Im λ uniform.
rbms: all parameters independent complex normal with E|λ|² = σ², M = αN hidden units; entropies against the
size of the region and mean ratios of adjacent gaps of the entanglement levels.
bounds: random masks, and how often the cut is the rank.
trees: the least rank, exact as above, over all divisions with a third of the sites or more on each side, for
K = 2 and L = 2. A binary tree of any shape, and so any circuit without overlap, has a bond with such a
division, where its rank is at most r.
"""

import argparse
import itertools
import math
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.models.parameters import parameters
from intertwine.models.structure import Structure

jax.config.update("jax_enable_x64", True)
ent = it.entanglement
LN2 = math.log(2)


def page(n, length):
    """The mean entropy of `length` of n spins in a random state (Page 1993), nats."""
    small, large = 2 ** min(length, n - length), 2 ** max(length, n - length)
    return sum(1 / k for k in range(large + 1, small * large + 1)) - (small - 1) / (2 * large)


def spins(n):
    return 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1)


def with_random_phases(model, rng):
    """λ with a normal real part of standard deviation 0.2 and a uniform imaginary one."""

    def drawn(x):
        return jnp.asarray(0.2 * rng.normal(size=x.shape) + 2j * np.pi * rng.random(x.shape))

    constants = eqx.filter(model, eqx.is_inexact_array, inverse=True)
    return eqx.combine(jax.tree.map(drawn, parameters(model)), constants)


PRIME = 2**31 - 1


def times(x, w):
    """x wᵀ modulo the prime, (S, d) and (r, d)."""
    total = np.zeros((len(x), len(w)), np.int64)
    for d in range(x.shape[1]):
        total = (total + x[:, d, None] * w[:, d]) % PRIME
    return total


def whole_amplitudes(model, s, rng):
    """ψ modulo the prime of a circuit of random whole weights, for rows of spins."""
    x = np.stack([s > 0, s < 0], axis=-1).astype(np.int64)

    def drawn(w):
        return rng.integers(1, PRIME, np.shape(w))

    if isinstance(model, it.RecurrentCircuit):
        inputs, passed = [drawn(w) for w in model.inputs], drawn(model.passed)
        hidden = [np.ones((len(s), model.rank), np.int64) for _ in inputs]
        for t in range(model.size):
            value = x[:, t]
            for layer, w in enumerate(inputs):
                value = times(value, w) * times(hidden[layer], passed[layer]) % PRIME
                hidden[layer] = value
        return times(hidden[-1], drawn(model.top)[None])[:, 0]
    for w, table in zip(model.weights, model.tables, strict=True):
        w, table, count = drawn(w), np.asarray(table), x.shape[1]
        seen = np.stack([np.stack([times(x[:, p], wk) for p in range(count)], axis=1) for wk in w])
        out = np.ones((len(s), len(table), w.shape[1]), np.int64)
        for u, window in enumerate(table):
            for k, place in enumerate(window):
                if place < count:
                    out[:, u] = out[:, u] * seen[k, :, place] % PRIME
        x = out
    product = x[:, 0]
    for u in range(1, x.shape[1]):
        product = product * x[:, u] % PRIME
    return times(product, drawn(model.top)[None])[:, 0]


def prime_rank(matrix):
    """The rank of a matrix of whole numbers modulo the prime."""
    rows, rank = matrix.copy() % PRIME, 0
    for column in range(rows.shape[1]):
        there = np.flatnonzero(rows[rank:, column])
        if not len(there):
            continue
        rows[[rank, rank + there[0]]] = rows[[rank + there[0], rank]]
        rows[rank] = rows[rank] * pow(int(rows[rank, column]), -1, PRIME) % PRIME
        factor = rows[rank + 1 :, column]
        rows[rank + 1 :] = (rows[rank + 1 :] - factor[:, None] * rows[rank] % PRIME) % PRIME
        rank += 1
        if rank == len(rows):
            break
    return rank


def matrix_of(psi, n, region):
    cube = psi.reshape((2,) * n).transpose(*region, *(i for i in range(n) if i not in region))
    return cube.reshape(2 ** len(region), -1)


def numerical_rank(psi, n, region):
    sigma = np.linalg.svd(matrix_of(psi, n, region), compute_uv=False)
    return int(np.sum(sigma > 1e-11 * sigma[0]))


def circuits(n, rank, instances, picture):
    """A row a circuit."""
    rng, every = np.random.default_rng(0), spins(n)
    s = jnp.asarray(every.astype(np.int8))
    key, regions = jax.random.key(0), (tuple(range(n // 2)), tuple(range(0, n, 2)))
    made = {f"tree, L = {L}": it.ConvolutionalCircuit(n, L, rank, overlap=False, key=key) for L in (1, 2, 3)}
    made |= {f"overlap, L = {L}": it.ConvolutionalCircuit(n, L, rank, key=key) for L in (1, 2, 3)}
    made |= {f"recurrent, L = {L}": it.RecurrentCircuit(n, L, rank, key=key) for L in (1, 2, 3)}
    print(
        f"N = {n}, r = {rank}; log2 rank (cut) of half, of every second site; S/Page of {instances} instances"
    )
    rows = []
    for name, model in made.items():
        whole = whole_amplitudes(model, every, rng)
        ranks = [math.log2(prime_rank(matrix_of(whole, n, region))) for region in regions]
        cuts = [ent.bound(model, region).cut for region in regions]
        assert all(value <= cut + 1e-9 for value, cut in zip(ranks, cuts, strict=True)), (
            "a rank above the cut"
        )
        amplitudes, shares = jax.jit(jax.vmap(lambda s, m: m(s), in_axes=(0, None))), []
        for _ in range(instances):
            logs = np.asarray(amplitudes(s, with_random_phases(model, rng)))
            psi = np.exp(logs - logs.real.max())
            shares.append(ent.von_neumann(psi, regions[0]) / page(n, n // 2))
        share, error = float(np.mean(shares)), float(np.std(shares, ddof=1)) / math.sqrt(instances)
        rows.append((name, ranks[0], cuts[0], share, error))
        print(
            f"{name:18} {ranks[0]:.2f} ({cuts[0]})  {ranks[1]:.2f} ({cuts[1]})  {share:.3f} ± {error:.3f}",
            flush=True,
        )
    if picture:
        draw(rows, n, rank, picture)


def draw(rows, n, rank, picture):
    """Ranks and cuts against depth."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    for k, kind in enumerate(("tree", "overlap", "recurrent")):
        mine = [row for row in rows if row[0].startswith(kind)]
        depth = [int(row[0][-1]) for row in mine]
        left.plot(depth, [row[1] for row in mine], f"C{k}o-", label=kind)
        left.plot(depth, [row[2] for row in mine], f"C{k}x:")
        right.errorbar(depth, [row[3] for row in mine], [row[4] for row in mine], fmt=f"C{k}o-", label=kind)
    left.set(
        xlabel="layers", ylabel="log2 rank of half (dotted: cut)", xticks=depth, title=f"N = {n}, r = {rank}"
    )
    right.set(xlabel="layers", ylabel="entropy of half / Page", xticks=depth)
    left.legend()
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None} if picture.endswith(".svg") else None)


def rbms(n, instances):
    """A row an ensemble."""
    print(
        f"N = {n}, {instances} machines each; S(l)/ln 2 for l = 1, 2, 4, {n // 2}; share of Page's; gap ratio"
    )
    for alpha in (1, 2, 4):
        for sigma in (0.1, 0.25, 0.5, 1.0):
            entropies, ratios = [], []
            for k in range(instances):
                model = it.RBM(n, alpha * n, dtype=complex, scale=sigma, key=jax.random.key(k))
                state = ent.state_vector(model)
                entropies.append([ent.von_neumann(state, range(length)) for length in (1, 2, 4, n // 2)])
                ratios.append(ent.gap_ratio(ent.spectrum(state, range(n // 2))))
            mean = np.mean(entropies, axis=0)
            ratio = np.array([r.mean for r in ratios])
            error = ratio.std(ddof=1) / math.sqrt(instances)
            sizes = " ".join(f"{value / LN2:.3f}" for value in mean)
            print(
                f"α = {alpha}, σ = {sigma:4}: {sizes}; {mean[-1] / page(n, n // 2):.3f}; "
                f"{ratio.mean():.4f} ± {error:.4f} ({np.mean([r.count for r in ratios]):.0f} ratios each)"
            )


def bounds(count):
    """Random masks on a ring of 10 and a 3 × 3 torus."""
    rng, violated, reached = np.random.default_rng(1), 0, 0
    for k in range(count):
        lattice = it.Square(3, 3) if k % 2 else it.Chain(10)
        n = lattice.size
        m = int(rng.integers(2, 2 * n))
        near = np.linalg.norm(lattice.displacements, axis=1)[lattice.displacement_index] <= 1.5
        sees = near[:, rng.integers(0, n, m)] if k % 4 < 2 else np.ones((n, m), bool)
        mask = sees & (rng.random((n, m)) < rng.uniform(0.1, 0.9))
        weights = mask * (rng.normal(size=(n, m)) + 1j * rng.normal(size=(n, m)))
        fields = rng.normal(size=m) + 1j * rng.normal(size=m)
        psi = np.cosh(0.6 * spins(n) @ weights + 0.5 * fields).prod(axis=1)
        region = tuple(int(i) for i in rng.permutation(n)[: int(rng.integers(1, n))])
        graph = Structure(n, np.full(n + m, 2.0), np.argwhere(mask) + np.array([0, n]))
        cut, log_rank = ent.bound(graph, region).cut, math.log2(numerical_rank(psi, n, region))
        violated += log_rank > cut + 1e-9
        reached += abs(log_rank - cut) < 1e-9
    print(f"{count} masks: violated {violated}, reached {reached}")


def trees(rank):
    """Divisions of rings of 8 to 12 sites."""
    rng, key = np.random.default_rng(2), jax.random.key(0)
    for n in (8, 9, 10, 12):
        whole = whole_amplitudes(it.ConvolutionalCircuit(n, 2, rank, key=key), spins(n), rng)
        sizes = range(-(-n // 3), n // 2 + 1)
        regions = [region for size in sizes for region in itertools.combinations(range(n), size)]
        least = min(prime_rank(matrix_of(whole, n, region)) for region in regions)
        print(
            f"N = {n}: least rank {least} of {len(regions)} divisions; trees: at most r = {rank}", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("circuits", "rbms", "bounds", "trees"), default="circuits")
    parser.add_argument("--sites", type=int, default=12)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--picture")
    given = parser.parse_args()
    begun = time.perf_counter()
    if given.part == "circuits":
        circuits(given.sites, given.rank, given.instances, given.picture)
    elif given.part == "rbms":
        rbms(given.sites, given.instances)
    elif given.part == "trees":
        trees(given.rank)
    else:
        bounds(1000)
    print(f"{time.perf_counter() - begun:.0f} s")
