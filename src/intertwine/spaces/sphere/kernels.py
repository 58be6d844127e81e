r"""Convolution kernels on the sphere: a real matrix between potentials for each degree.

A linear map of fields of spin k ≥ 1 (f) to fields of spin k' ≥ 1 that commutes with SO(3) is

    f'_lm = κ_l f_lm + μ_l f̄_lm,      κ_l, μ_l ∈ C,      f_lm = E_lm + i B_lm,   f̄_lm = E_lm − i B_lm,

four real numbers for each l ≥ max(k, k'): any real 2 × 2 matrix from (E, B) to (E', B'). Scalars have E
alone: two numbers from a scalar to spin k' or back, one between scalars (the zonal convolution). That is all
of Hom_G(Ind ρ, Ind ρ') by Schur's lemma and Frobenius reciprocity, ⊕_l R^{m_l × m'_l} with multiplicities m_l
= 1 of scalars and 2 of spin k (Cohen, Geiger & Weiler 2019; Esteves, Makadia & Daniilidis 2020).

A kernel with support in the angle γ ≤ a about its point, of radial profile r(γ), has κ_l = 2π ∫ r d^l_{k'k}
sin γ dγ and μ_l = 2π ∫ r d^l_{k',−k} sin γ dγ; degrees from L on are cut off.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.spaces.protocols import Region
from intertwine.spaces.sphere.recursion import wigner_d_degrees


def kernels_of(
    band_limit: int, spin_in: int, spin_out: int, region: Region
) -> Float[np.ndarray, "count l i o"]:
    """A basis of the kernels from spin to spin, for `Conv`.

    region: None, one number for each degree and entry; a whole number n ≥ 2, profiles linear in l between n
    knots; an angle in radians (float), local kernels of as many rings as the band limit tells apart, or
    (angle, rings). Each is scaled so that white fields keep their variance.
    """
    if region is None:
        profiles = (
            np.eye(band_limit)[max(spin_in, spin_out) :] * max(band_limit - max(spin_in, spin_out), 1) ** 0.5
        )
        return _with_matrices(profiles, profiles, spin_in, spin_out)
    if isinstance(region, int | np.integer) and not isinstance(region, bool):
        knots = positive_int("support", int(region))
        if not 2 <= knots <= band_limit:
            raise fail("support", f"from 2 to {band_limit} knots, or an angle in radians (float)", region)
        place = np.linspace(0, band_limit - 1, knots)
        hats = np.maximum(0, 1 - np.abs(np.arange(band_limit) - place[:, None]) / (place[1] - place[0]))
        hats[:, : max(spin_in, spin_out)] = 0
        hats = hats[hats.any(axis=1)] * knots**0.5
        return _with_matrices(hats, hats, spin_in, spin_out)
    plain, mirrored = _local(band_limit, spin_in, spin_out, *_angle(band_limit, region))
    return _with_matrices(plain, mirrored, spin_in, spin_out)


def _angle(band_limit: int, region: Region) -> tuple[float, int]:
    pair = region if isinstance(region, tuple) and len(region) == 2 else (region, None)
    angle, count = pair
    if isinstance(angle, bool) or not isinstance(angle, int | float | np.floating) or not 0 < angle <= np.pi:
        remedy = "for example 0.3, or (0.3, 4) with four rings, or None for free profiles"
        raise fail("support", "an angle from 0 to π in radians", region, remedy)
    rings = (
        max(1, round(float(angle) * band_limit / (2 * np.pi)))
        if count is None
        else positive_int("support", count)
    )
    return float(angle), rings


@lru_cache(maxsize=128)
def _local(
    band_limit: int, spin_in: int, spin_out: int, angle: float, rings: int
) -> tuple[np.ndarray, np.ndarray]:
    """(rings, L) each: κ_l and μ_l of bumps in γ, the last falling to 0 at `angle`; none where no degree
    below L has both spins."""
    if max(spin_in, spin_out) >= band_limit:
        return np.zeros((0, band_limit)), np.zeros((0, band_limit))
    nodes, weights = np.polynomial.legendre.leggauss(max(64, 2 * band_limit))
    gamma = (nodes + 1) * angle / 2
    step = angle / rings
    bumps = np.where(
        np.abs(gamma - np.arange(rings)[:, None] * step) < step,
        np.cos(np.pi / 2 * (gamma - np.arange(rings)[:, None] * step) / step) ** 2,
        0.0,
    )
    measure = bumps * np.sin(gamma) * weights * angle / 2 * 2 * np.pi
    found = []
    for spin in (spin_in, -spin_in):
        profile = np.zeros((rings, band_limit))
        for l, d in wigner_d_degrees(band_limit, [spin_out], spin, gamma):  # noqa: E741
            profile[:, l] = measure @ d[0]
        share = 2 * np.arange(band_limit) + 1
        size = np.sqrt((profile**2 * share).sum(axis=1) / share.sum())
        found.append(profile / np.maximum(size, 1e-30)[:, None])
    return found[0], found[1]


def _with_matrices(plain: np.ndarray, mirrored: np.ndarray, spin_in: int, spin_out: int) -> np.ndarray:
    """Profiles times the real matrices (from, to) of 1, i, and of the two after conjugation."""
    one, turn = np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])
    flip, cross = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    if spin_in == 0 and spin_out == 0:
        kinds = [(plain, np.ones((1, 1)))]
    elif spin_in == 0:
        kinds = [(plain, np.array([[1.0, 0.0]])), (plain, np.array([[0.0, 1.0]]))]
    elif spin_out == 0:
        kinds = [(plain, np.array([[1.0], [0.0]])), (plain, np.array([[0.0], [1.0]]))]
    else:
        kinds = [(plain, one), (plain, turn), (mirrored, flip), (mirrored, cross)]
        kinds = [(profile, matrix / 2**0.5) for profile, matrix in kinds]
    return np.concatenate([profile[:, :, None, None] * matrix for profile, matrix in kinds])
