r"""Pairs of points closer than a cut-off, periodic in any directions, by lists of boxes: compiled kernels.

The cell is cut into boxes along its vectors; a box is at least so wide, between its faces, that the pairs of
its points reach no further than a few boxes. A box beyond the cell is one of its boxes moved by cell vectors,
so that cells smaller than the cut-off need nothing else. Of the boxes around one only the half that comes
after it is searched: each pair is found once and entered twice, which says for every entry where its reverse
is. (Allen & Tildesley, Computer Simulation of Liquids, 1987, 5.3.)

Everything has three dimensions here; planes are a layer of boxes."""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel, ordered_kernel


@ordered_kernel
def sorted_in_boxes(scaled, boxes):
    """(order, start): the points, box by box, and where each box begins in them (boxes + 1,).

    scaled: positions in units of the cell vectors, (n, 3), in [0, 1] up to rounding.
    """
    n = scaled.shape[0]
    box = np.empty(n, np.int64)
    total = boxes[0] * boxes[1] * boxes[2]
    start = np.zeros(total + 1, np.int64)
    for i in range(n):
        at = 0
        for a in range(3):
            b = int(scaled[i, a] * boxes[a])
            b = min(max(b, 0), boxes[a] - 1)
            at = at * boxes[a] + b
        box[i] = at
        start[at + 1] += 1
    for b in range(total):
        start[b + 1] += start[b]
    filled = start[:-1].copy()
    order = np.empty(n, np.int64)
    for i in range(n):
        order[filled[box[i]]] = i
        filled[box[i]] += 1
    return order, start


@inner
def longer(table, room):
    """The table with so many rows."""
    more = np.empty((room, table.shape[1]), table.dtype)
    more[: table.shape[0]] = table
    return more


@ordered_kernel
def pairs_within(positions, order, start, cell, periodic, boxes, reach, cutoff, most):
    """(pairs (E, 2), slots (E, 2), steps (E, 3), count (n,), closest (3,)) of all pairs below the cut-off.

    A pair i, j stands once, with the cell steps of the image of j that is seen from i, and the places that it
    takes among the neighbours of i and of j; count: how many these are. closest: a pair and its squared
    distance. More than `most` pairs are not looked for: then the first array is empty and count is −1.
    """
    n = order.shape[0]
    place = np.empty((n, 3))
    for a in range(n):
        for c in range(3):
            place[a, c] = positions[order[a], c]
    room = 16 * n + 16
    pairs, slots = np.empty((room, 2), np.int32), np.empty((room, 2), np.int32)
    steps = np.empty((room, 3), np.int32)
    count = np.zeros(n, np.int64)
    closest = np.array([-1.0, -1.0, np.inf])
    square, found = cutoff * cutoff, 0
    for b0 in range(boxes[0]):
        for b1 in range(boxes[1]):
            for b2 in range(boxes[2]):
                here = (b0 * boxes[1] + b1) * boxes[2] + b2
                if start[here] == start[here + 1]:
                    continue
                for d0 in range(reach[0] + 1):
                    s0 = (b0 + d0) // boxes[0]
                    if s0 != 0 and not periodic[0]:
                        continue
                    for d1 in range(0 if d0 == 0 else -reach[1], reach[1] + 1):
                        s1 = (b1 + d1) // boxes[1]
                        if s1 != 0 and not periodic[1]:
                            continue
                        for d2 in range(0 if d0 == 0 and d1 == 0 else -reach[2], reach[2] + 1):
                            s2 = (b2 + d2) // boxes[2]
                            if s2 != 0 and not periodic[2]:
                                continue
                            t0, t1, t2 = (
                                b0 + d0 - s0 * boxes[0],
                                b1 + d1 - s1 * boxes[1],
                                b2 + d2 - s2 * boxes[2],
                            )
                            there = (t0 * boxes[1] + t1) * boxes[2] + t2
                            if start[there] == start[there + 1]:
                                continue
                            same = d0 == 0 and d1 == 0 and d2 == 0
                            m0 = s0 * cell[0, 0] + s1 * cell[1, 0] + s2 * cell[2, 0]
                            m1 = s0 * cell[0, 1] + s1 * cell[1, 1] + s2 * cell[2, 1]
                            m2 = s0 * cell[0, 2] + s1 * cell[1, 2] + s2 * cell[2, 2]
                            for p in range(start[here], start[here + 1]):
                                x0, x1, x2 = place[p, 0] - m0, place[p, 1] - m1, place[p, 2] - m2
                                for q in range(p + 1 if same else start[there], start[there + 1]):
                                    r0, r1, r2 = place[q, 0] - x0, place[q, 1] - x1, place[q, 2] - x2
                                    r = r0 * r0 + r1 * r1 + r2 * r2
                                    if r >= square:
                                        continue
                                    if found == room:
                                        if found >= most:
                                            return pairs[:0], slots[:0], steps[:0], count[:1] * 0 - 1, closest
                                        room = room * 2
                                        pairs, slots = longer(pairs, room), longer(slots, room)
                                        steps = longer(steps, room)
                                    i, j = order[p], order[q]
                                    pairs[found, 0], pairs[found, 1] = i, j
                                    steps[found, 0], steps[found, 1], steps[found, 2] = s0, s1, s2
                                    slots[found, 0] = count[i]
                                    count[i] += 1
                                    slots[found, 1] = count[j]
                                    count[j] += 1
                                    found += 1
                                    if r < closest[2]:
                                        closest[0], closest[1], closest[2] = i, j, r
    return pairs[:found], slots[:found], steps[:found], count, closest


@kernel
def entered(pairs, slots, steps, site, moves, back):
    """Enter pairs into tables site, back (n, K) and moves (n, K, d) that are filled with what stands where
    there is no neighbour."""
    width, d = site.shape[1], moves.shape[2]
    for e in range(pairs.shape[0]):
        i, j = pairs[e, 0], pairs[e, 1]
        k, m = slots[e, 0], slots[e, 1]
        site[i, k], site[j, m] = j, i
        back[i, k], back[j, m] = j * width + m, i * width + k
        for a in range(d):
            moves[i, k, a], moves[j, m, a] = steps[e, a], -steps[e, a]
