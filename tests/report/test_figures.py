"""The figures hold the numbers that they were given, and survive what real runs contain."""

from __future__ import annotations

import re

import numpy as np
import pytest

from intertwine.report import theme
from intertwine.report.ground_state import figures, lattice_figures
from intertwine.report.ground_state.read import Field
from intertwine.report.numbers import with_error
from intertwine.report.series import MOST_POINTS, stride

from .make_run import dataset, square_vectors, triangular

STEPS = np.arange(30.0)
METRICS = {
    "step": STEPS,
    "energy": -10 - STEPS,
    "error": 0.1 + 0 * STEPS,
    "v_score": 10.0**-STEPS,
    "acceptance": 0.5 + 0 * STEPS,
    "tau": 1 + STEPS,
    "r_hat": 1 + 0.01 * STEPS,
    "update_norm": 1 / (1 + STEPS),
}


def traces(figure) -> dict:
    return {trace["name"]: trace for trace in figure.to_plotly_json()["data"] if trace.get("name")}


def field(vectors: np.ndarray, momenta: np.ndarray) -> tuple[Field, Field]:
    data = dataset(vectors, momenta)
    return (
        Field(vectors, data["spin_correlation"].values, data["spin_correlation_error"].values),
        Field(momenta, data["structure_factor"].values, data["structure_factor_error"].values),
    )


def test_energy_band_exact_line_and_relative_error() -> None:
    figure = figures.energy(METRICS, exact=-40.0)
    drawn = traces(figure)
    assert drawn["energy"]["y"] == list(METRICS["energy"])
    assert set(drawn["exact"]["y"]) == {-40.0}
    np.testing.assert_allclose(drawn["relative error"]["y"], np.abs(METRICS["energy"] + 40) / 40)
    np.testing.assert_allclose(drawn["standard error"]["y"], 0.1 / 40)
    upper, lower = figure.data[0].y, figure.data[1].y
    np.testing.assert_allclose(np.array(upper) - np.array(lower), 0.2)
    assert figure.layout.yaxis2.type == "log"


def test_energy_without_an_exact_value_has_one_panel() -> None:
    figure = figures.energy(METRICS)
    assert "yaxis2" not in figure.to_plotly_json()["layout"]


def test_gaps_are_none_and_logarithms_positive() -> None:
    metrics = METRICS | {"energy": np.where(STEPS == 3, np.nan, METRICS["energy"]), "v_score": STEPS - 1}
    assert traces(figures.energy(metrics, -40.0))["energy"]["y"][3] is None
    assert traces(figures.v_score(metrics))["V-score"]["y"][:3] == [None, None, 1.0]


def test_what_was_not_recorded_is_not_drawn() -> None:
    bare = {"step": STEPS, "energy": METRICS["energy"]}
    assert figures.energy(bare) is not None
    assert figures.v_score(bare) is figures.chains(bare) is figures.optimiser(bare) is None
    assert figures.energy({"step": STEPS}) is None
    panels = figures.chains(bare | {"tau": METRICS["tau"]}).to_plotly_json()["layout"]
    assert "yaxis2" not in panels


@pytest.mark.parametrize("steps", [1, MOST_POINTS, MOST_POINTS + 1, 10 * MOST_POINTS])
def test_long_runs_are_thinned(steps: int) -> None:
    metrics = {"step": np.arange(float(steps)), "energy": np.ones(steps)}
    drawn = traces(figures.energy(metrics))["energy"]["x"]
    assert len(drawn) <= MOST_POINTS
    assert drawn[0] == 0
    assert steps <= MOST_POINTS or steps - drawn[-1] <= stride(steps)


def test_chain_figures() -> None:
    vectors = np.arange(-4.0, 6.0)[:, None]
    momenta = 2 * np.pi * np.arange(10.0)[:, None] / 10
    correlation, factor = field(vectors, momenta)
    points = lattice_figures.correlation_by_distance(correlation).data[-1]
    assert len(points.x) == 9
    assert 0.0 not in points.x
    bars = lattice_figures.correlation_on_lattice(correlation).data[0]
    assert dict(zip(bars.x, bars.y, strict=True))[1.0] == correlation.values[5]
    line = lattice_figures.structure_factor(factor).data[0]
    np.testing.assert_allclose(line.x, np.arange(10) / 5)
    np.testing.assert_allclose(line.error_y.array, factor.errors)
    assert line.x[int(np.argmax(line.y))] == 1.0


def test_square_lattice_is_a_heat_map_in_the_right_cells() -> None:
    momenta = 2 * np.pi * np.array([(x, y) for x in range(4) for y in range(4)]) / 4
    momenta = momenta[np.random.default_rng(0).permutation(16)]
    _, factor = field(square_vectors(4), momenta)
    figure = lattice_figures.structure_factor(factor)
    heat = figure.data[0]
    assert heat.type == "heatmap"
    for (x, y), value in zip(momenta / np.pi, factor.values, strict=True):
        column, row = (
            list(np.round(heat.x, 6)).index(round(x, 6)),
            list(np.round(heat.y, 6)).index(round(y, 6)),
        )
        assert heat.z[row][column] == value
    assert figure.layout.yaxis.scaleanchor == "x"


def test_oblique_lattice_is_points() -> None:
    correlation, factor = field(*triangular(4))
    assert lattice_figures.structure_factor(factor).data[0].type == "scatter"
    sites = lattice_figures.correlation_on_lattice(correlation).data[0]
    assert len(sites.x) == 15
    assert sites.marker.cmin == -sites.marker.cmax


def test_classes_that_share_a_displacement_are_averaged_on_the_map() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    sites = lattice_figures.correlation_on_lattice(
        Field(vectors, np.array([1.0, 0.2, 0.4, -0.5]), None)
    ).data[0]
    shown = dict(zip(zip(sites.x, sites.y, strict=True), sites.customdata, strict=True))
    assert shown == {(1.0, 0.0): pytest.approx(0.3), (0.0, 1.0): -0.5}


def test_three_dimensions_fall_back_to_lengths() -> None:
    cells = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    correlation, factor = field(cells, np.pi * cells)
    assert lattice_figures.correlation_on_lattice(correlation) is None
    assert lattice_figures.structure_factor(factor).data[0].x[-1] == pytest.approx(np.sqrt(3))


@pytest.mark.filterwarnings("error")
def test_fields_of_gaps_and_of_one_point() -> None:
    gaps = Field(np.arange(3.0)[:, None], np.full(3, np.nan), None)
    single = Field(np.zeros((1, 2)), np.ones(1), np.zeros(1))
    for one in (gaps, single):
        lattice_figures.correlation_by_distance(one)
        lattice_figures.correlation_on_lattice(one)
        lattice_figures.structure_factor(one)


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_marks_and_words(scheme: str) -> None:
    layout = theme.template(scheme)["layout"]
    card = layout["hoverlabel"]["bgcolor"]
    assert contrast(layout["font"]["color"], card) >= 7
    for mark in (theme.BLUE, theme.ORANGE, theme.PURPLE, theme.TEAL, theme.GREY):
        assert re.fullmatch("#[0-9a-f]{6}", mark)
        assert contrast(mark, card) >= 3


@pytest.mark.parametrize(
    ("mean", "error", "shown"),
    [
        (-35.617454, 0.00012, "−35.61745 ± 0.00012"),
        (-1234.5, 12.0, "−1234 ± 12"),
        (0.0, 1e-20, "0 ± 1 × 10⁻²⁰"),
        (None, 0.1, "not recorded"),
        (float("nan"), 0.1, "not recorded"),
        (1.0, float("nan"), "1 ± ?"),
    ],
)
def test_numbers_as_words(mean: float | None, error: float, shown: str) -> None:
    assert with_error(mean, error) == shown
