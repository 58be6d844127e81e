"""The plates of the page: each figure with heading, caption, words for who cannot see it, and numbers."""

from __future__ import annotations

import math

import numpy as np

from intertwine.report.ground_state import figures, lattice_figures, particles
from intertwine.report.ground_state.read import Field, Run
from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate
from intertwine.report.series import stride


def plates(run: Run) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    drawn: list[Plate | None] = []
    if run.steps:
        drawn = [_energy(run), _v_score(run), _optimiser(run), _chains(run)]
    if run.correlation is not None:
        drawn += _correlation(run.correlation)
    if run.structure_factor is not None:
        drawn.append(_structure_factor(run.structure_factor))
    drawn += [particles.plate(name, field) for name, field in run.fields.items()]
    return [plate for plate in drawn if plate is not None]


def _thinned(run: Run) -> str:
    """The sentence that says that not every step is drawn, or nothing."""
    every = stride(run.steps)
    return "" if every == 1 else f" One step in {every} of the {run.steps} is drawn."


def _energy(run: Run) -> Plate | None:
    exact = run.exact
    figure = figures.energy(run.metrics, exact)
    if figure is None:
        return None
    caption = (
        "Total energy, in the units of the Hamiltonian's couplings, at each step; band: one standard error."
    )
    words = f"Energy against step, {with_error(run.last('energy'), run.last('error'))} at the last step"
    if exact:
        caption += (
            " The dashed line is the exact ground-state energy. Below, on a logarithmic axis: the distance to"
            " it relative to its size, and the standard error of one step, under which no step can be read."
        )
        words += f", exact {plain(exact, 10)}"
    height = 560 if exact else 360
    return Plate("energy", "Energy", caption + _thinned(run), words + ".", figure, height, wide=True)


def _v_score(run: Run) -> Plate | None:
    figure = figures.v_score(run.metrics)
    if figure is None:
        return None
    caption = (
        "V-score N Var(H) / E² of each step, without unit, logarithmic: it falls to zero as the state becomes"
        " an eigenstate, whether or not the exact energy is known."
    )
    words = f"V-score against step, {plain(run.last('v_score'), 2)} at the last step."
    return Plate("v-score", "V-score", caption + _thinned(run), words, figure, 330)


def _optimiser(run: Run) -> Plate | None:
    figure = figures.optimiser(run.metrics)
    if figure is None:
        return None
    caption = (
        "Norm of the update of the parameters, learning rate and diagonal shift at each step, logarithmic."
    )
    words = f"Against step; norm of the last update {plain(run.last('update_norm'), 3)}."
    return Plate("optimiser", "Optimisation", caption + _thinned(run), words, figure, 330)


def _chains(run: Run) -> Plate | None:
    figure = figures.chains(run.metrics)
    if figure is None:
        return None
    caption = (
        "The Markov chains at each step: fraction of accepted moves, integrated autocorrelation time τ of the"
        " local energy in draws, and R-hat, which is 1 where the chains agree."
    )
    words = (
        f"Against step; at the last: acceptance {plain(run.last('acceptance'), 3)}, autocorrelation time"
        f" {plain(run.last('tau'), 3)} draws, R-hat {plain(run.last('r_hat'), 4)}."
    )
    panels = sum(axis.startswith("yaxis") for axis in figure.to_plotly_json()["layout"])
    return Plate("chains", "Sampling", caption + _thinned(run), words, figure, 90 + 140 * panels, wide=True)


def _correlation(field: Field) -> list[Plate]:
    """Against distance, and on the lattice where it can be drawn."""
    dimension = field.vectors.shape[1]
    quantity = f"Spin correlation: {field.label}," if field.label else "Spin correlation"
    bars = "; bars: one standard error" if field.errors is not None else ""
    rows = _rows(field, 1.0)
    columns = ("displacement", "correlation" + (" ± standard error" if bars else ""))
    words = f"Spin correlation at {len(rows)} displacements; the numbers are in the table below the figure."
    caption = (
        f"{quantity} against distance in lattice spacings, without unit{bars}. Distance zero is left out."
    )
    figure = lattice_figures.correlation_by_distance(field)
    wide = dimension != 1
    first = Plate("correlation", "Spin correlations", caption, words, figure, 360, wide, columns, rows)
    on_lattice = lattice_figures.correlation_on_lattice(field)
    if on_lattice is None:
        return [first]
    if dimension == 1:
        caption = f"The same at each displacement along the chain: blue positive, orange negative{bars}."
    else:
        caption = "The same at each displacement from a site (cross): blue positive, orange negative."
    heading = "Spin correlations on the lattice"
    height = 360 if dimension == 1 else 460
    return [first, Plate("correlation-lattice", heading, caption, words, on_lattice, height)]


def _structure_factor(field: Field) -> Plate:
    dimension = field.vectors.shape[1]
    quantity = f"Structure factor S(k) = {field.label}," if field.label else "Structure factor S(k)"
    rows = _rows(field, math.pi)
    bars = "; bars: one standard error" if field.errors is not None and dimension != 2 else ""
    columns = ("k / π", "S(k)" + (" ± standard error" if field.errors is not None else ""))
    peak = rows[int(np.argmax(np.nan_to_num(field.values, nan=-np.inf)))][0]
    caption = f"{quantity} at the momenta of the lattice, without unit{bars}. It is largest at k = {peak} π."
    words = f"Structure factor at {len(rows)} momenta, largest at k = {peak} π."
    height, wide = (460, False) if dimension == 2 else (360, True)
    figure = lattice_figures.structure_factor(field)
    return Plate("structure-factor", "Structure factor", caption, words, figure, height, wide, columns, rows)


def _rows(field: Field, unit: float) -> tuple[tuple[str, ...], ...]:
    """The numbers behind a figure as text, vectors in multiples of `unit`."""
    rows = []
    for index, point in enumerate(field.vectors / unit):
        parts = [plain(round(float(x), 9), 4) for x in point]
        where = parts[0] if len(parts) == 1 else "(" + ", ".join(parts) + ")"
        error = None if field.errors is None else float(field.errors[index])
        rows.append((where, with_error(float(field.values[index]), error)))
    return tuple(rows)
