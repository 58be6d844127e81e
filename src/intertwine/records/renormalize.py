"""What a renormalization run writes."""

from typing import NamedTuple

from intertwine.records.schema import Entry, Schema

SCHEMA = Schema(
    version=2,
    columns=(
        Entry("step", "line"),
        Entry("energy", "energy per site", "units of the coupling"),
        Entry("energy_error", "its standard error", "units of the coupling"),
        Entry("y_T", "thermal exponent so far"),
        Entry("y_T_error", "its standard error"),
        Entry("y_H", "magnetic exponent so far"),
        Entry("y_H_error", "its standard error"),
        Entry("gamma", "γ at the zero of β so far"),
        Entry("gamma_error", "its standard error"),
        Entry("curvature", "scalar curvature of a site, spheres positive"),
        Entry("curvature_error", "its standard error"),
        Entry("seconds", "time of the line", "s"),
    ),
    results=(
        Entry("study", "flow, exponents, network, callan-symanzik or curvature"),
        Entry("headline", "what was found, in a sentence"),
        Entry("exponents", "mean, error and exact value of each"),
        Entry(
            "callan_symanzik", "β, γ, errors and residuals by coupling, the zero of β, its slope and γ there"
        ),
        Entry("peak", "where the curvature is largest, and its size there"),
        Entry("system", "the spin system and its couplings"),
        Entry("rule", "how spins are blocked"),
        Entry("levels", "how often they are"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)


class Array(NamedTuple):
    """An array of result.nc: its dimensions, and what it is."""

    dimensions: tuple[str, ...]
    words: str


_ERROR = "one standard deviation"
ARRAYS = {
    "y_T": Array(("level", "number"), "thermal exponent by step and number of couplings"),
    "y_T_error": Array(("level", "number"), _ERROR),
    "y_H": Array(("level", "number"), "magnetic exponent by step and number of couplings"),
    "y_H_error": Array(("level", "number"), _ERROR),
    "coupling": Array(("scale", "family"), "couplings of the system by level"),
    "coupling_error": Array(("scale", "family"), _ERROR),
    "flow": Array(("start", "scale", "family"), "couplings by level from every start, NaN after their end"),
    "flow_error": Array(("start", "scale", "family"), _ERROR),
    "start_coupling": Array(("start",), "K of every start, the system's own last"),
    "map_from": Array(("point",), "K"),
    "map_to": Array(("point",), "K' = R(K) of an approximate transformation"),
    "equation_coupling": Array(("coupling",), "K at which correlations were measured"),
    "equation_beta": Array(("coupling",), "β = dK/dl of the Callan-Symanzik equation"),
    "equation_beta_error": Array(("coupling",), _ERROR),
    "equation_gamma": Array(("coupling",), "γ of the Callan-Symanzik equation"),
    "equation_gamma_error": Array(("coupling",), _ERROR),
    "equation_distance": Array(("distance",), "r of the shells of displacements"),
    "equation_residual": Array(("coupling", "distance"), "[r∂_r − β∂_K + 2γ]G/G, NaN outside the window"),
    "curve_coupling": Array(("curve",), "K of the exact β"),
    "curve_beta": Array(("curve",), "exact β of the infinite lattice"),
    "trace": Array(("state",), "ln Σ_h e^T of rows of the data, T = H − E"),
    "filter": Array(("filter", "unit"), "weights of the strongest hidden units"),
    "shell_distance": Array(("shell",), "distance of the pairs, in cells"),
    "shell_coupling": Array(("shell",), "mean pair coupling of ln Ψ at this distance"),
    "shell_error": Array(("shell",), "standard deviation between the pairs of a distance"),
    "cold": Array(("flow_step",), "energy a site, cold start"),
    "cold_error": Array(("flow_step",), _ERROR),
    "hot": Array(("flow_step",), "energy a site, hot start"),
    "hot_error": Array(("flow_step",), _ERROR),
}
"""The agreed arrays of result.nc, all optional."""

TABLES = {"column": "a column", "error": _ERROR, "fit": "the fitted line"}
"""Tables that a study makes: column_NAME, error_NAME and fit_NAME by row, told of by the attribute
title_NAME."""

PICTURE = "picture"
"""picture_0, picture_1, …: one configuration (row_k, column_of_k), level by level."""


def array_of(name: str) -> Array | None:
    """What the array `name` of result.nc is, None for one that is not of a study.

    >>> array_of("picture_1").dimensions, array_of("column_size").dimensions, array_of("seconds")
    (('row_1', 'column_of_1'), ('row',), None)
    """
    if name in ARRAYS:
        return ARRAYS[name]
    kind, _, of = name.partition("_")
    if kind == PICTURE and of.isdigit():
        return Array((f"row_{of}", f"column_of_{of}"), f"one configuration at level {of}")
    return Array(("row",), TABLES[kind]) if kind in TABLES and of else None
