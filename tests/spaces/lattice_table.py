"""Every listed lattice with what is known of it, and independent oracles (no code of the library)."""

import itertools

import numpy as np

# name: sites, bonds, neighbours of a site inside, order of the space group, of the point group
LATTICES = {
    "chain:2": (2, 1, 1, 2, 1),
    "chain:3": (3, 3, 2, 6, 2),
    "chain:8": (8, 8, 2, 16, 2),
    "chain:20": (20, 20, 2, 40, 2),
    "chain:7:open": (7, 6, 2, 2, 2),
    "square:2": (4, 4, 2, 8, 2),
    "square:3": (9, 18, 4, 72, 8),
    "square:4": (16, 32, 4, 128, 8),
    "square:6": (36, 72, 4, 288, 8),
    "square:10": (100, 200, 4, 800, 8),
    "square:4x6": (24, 48, 4, 96, 4),
    "square:3x5": (15, 30, 4, 60, 4),
    "square:4:open": (16, 24, 4, 8, 8),
    "square:3x5:open": (15, 22, 4, 4, 4),
    "square:6x4:periodic-open": (24, 42, 4, 24, 4),
    "square:4x6:open-periodic": (24, 42, 4, 24, 4),
    "triangular:3": (9, 27, 6, 108, 12),
    "triangular:4": (16, 48, 6, 192, 12),
    "triangular:6": (36, 108, 6, 432, 12),
    "triangular:4x6": (24, 72, 6, 48, 2),
    "triangular:4:open": (16, 33, 6, 4, 4),
    "honeycomb:3": (18, 27, 3, 108, 12),
    "honeycomb:4": (32, 48, 3, 192, 12),
    "honeycomb:3x4": (24, 36, 3, 24, 2),
    "honeycomb:3:open": (18, 21, 3, 4, 4),
    "kagome:3": (27, 54, 4, 108, 12),
    "kagome:4": (48, 96, 4, 192, 12),
    "kagome:3x4": (36, 72, 4, 24, 2),
    "kagome:3:open": (27, 43, 4, 2, 2),
    "cubic:3": (27, 81, 6, 1296, 48),
    "cubic:4": (64, 192, 6, 3072, 48),
    "cubic:4x4x3": (48, 144, 6, 768, 16),
    "cubic:3x4x5": (60, 180, 6, 480, 8),
    "cubic:3:open": (27, 54, 6, 48, 48),
    "cubic:3x3x2:periodic-periodic-open": (18, 45, 5, 144, 16),
    "ladder:8": (16, 24, 3, 32, 4),
    "ladder:4x3": (12, 20, 4, 16, 4),
    "ladder:5:open": (10, 13, 3, 4, 4),
    "lieb:2": (12, 16, 4, 32, 8),
    "lieb:3": (27, 36, 4, 72, 8),
    "lieb:2x3": (18, 24, 4, 24, 4),
    "shuriken:2": (24, 48, 4, 32, 8),
    "shuriken:3": (54, 108, 4, 72, 8),
    "bcc:3": (27, 108, 8, 1296, 48),
    "bcc:4": (64, 256, 8, 3072, 48),
    "fcc:3": (27, 162, 12, 1296, 48),
    "fcc:4": (64, 384, 12, 3072, 48),
    "diamond:2": (16, 32, 4, 384, 24),
    "diamond:2:open": (16, 20, 4, 12, 12),
    "pyrochlore:2": (32, 96, 6, 384, 24),
    "pyrochlore:1:open": (4, 6, 3, 24, 24),
    "links:2": (8, 16, 4, 32, 8),
    "links:3": (18, 36, 4, 72, 8),
    "links:3x4": (24, 48, 4, 48, 4),
}


def distances(lattice, reach=3):
    """Minimal-image distances (N, N) over a generous box of images."""
    r = lattice.positions
    steps = [range(-reach, reach + 1) if p else (0,) for p in lattice.periodic]
    best = np.full((lattice.size, lattice.size), np.inf)
    for m in itertools.product(*steps):
        shift = (np.array(m) * lattice.extent) @ lattice.basis_vectors
        best = np.minimum(best, np.linalg.norm(r[None] - r[:, None] + shift, axis=-1))
    return best


def plane_isometries(lattice, reach=3):
    """All site permutations by isometries of the plane at multiples of 15°, by brute force."""
    r, n = lattice.positions, lattice.size
    steps = [range(-reach, reach + 1) if p else (0,) for p in lattice.periodic]
    wrapping = (np.array(list(itertools.product(*steps))) * lattice.extent) @ lattice.basis_vectors
    images = (r[:, None] + wrapping).reshape(-1, 2)
    found = set()
    for k, mirror in itertools.product(range(24), (1, -1)):
        c, s = np.cos(k * np.pi / 12), np.sin(k * np.pi / 12)
        matrix = np.array([[c, s], [-s, c]]) @ np.diag([1, mirror])
        turned = (np.array(lattice.extent)[:, None] * lattice.basis_vectors)[list(lattice.periodic)] @ matrix
        if len(turned) and not all(np.linalg.norm(wrapping - v, axis=1).min() < 1e-6 for v in turned):
            continue  # does not map the torus onto itself
        for target in r:
            moved = (r - r[0]) @ matrix + target
            gaps = np.linalg.norm(moved[:, None] - images, axis=-1)
            where = gaps.argmin(axis=1)
            if (gaps.min(axis=1) < 1e-6).all() and len(set(where // len(wrapping))) == n:
                found.add(tuple((where // len(wrapping)).tolist()))
    return found


def distance_automorphisms(d, limit=5000):
    """All permutations p with d[p[i], p[j]] = d[i, j], by backtracking (isometries of an open cluster)."""
    n = len(d)
    found = []

    def extend(p):
        assert len(found) < limit
        if len(p) == n:
            found.append(tuple(p))
            return
        k = len(p)
        for j in range(n):
            if j not in p and all(abs(d[j, p[i]] - d[k, i]) < 1e-6 for i in range(k)):
                extend([*p, j])

    extend([])
    return set(found)
