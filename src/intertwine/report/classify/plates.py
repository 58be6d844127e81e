"""The plates of a classifying run's page: pictures and figures with captions, words and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intertwine._caveats import sentence_of
from intertwine.report.classify import figures
from intertwine.report.classify.read import ClassifyRun
from intertwine.report.fields.figures import globe, mesh
from intertwine.report.numbers import plain
from intertwine.report.pictures import colour_pictures, signed_pictures, unit_pictures
from intertwine.report.plate import Plate, Tiles
from intertwine.report.series import stride

MOST_FILTERS, MOST_ELEMENTS, MOST_MISTAKES = 6, 16, 24


def plates(run: ClassifyRun) -> list[Plate]:
    """Every picture and figure that the run has numbers for, in the order of the page."""
    drawn = [
        *_on_space(run), _curves(run), _angles(run), _rotations(run), _equivariance(run), _depth(run),
        _confusion(run), _conserved(run), _filters(run), _mistakes(run),
    ]  # fmt: skip
    there = [plate for plate in drawn if plate is not None]
    if sum(not plate.wide for plate in there) % 2:  # none stands alone in its row
        key = next((plate for plate in there if plate.name == "curves"), there[0])
        there[there.index(key)] = replace(key, wide=True)
    return there


def _curves(run: ClassifyRun) -> Plate | None:
    figure = figures.curves(run.metrics)
    if figure is None:
        return None
    every = stride(run.steps)
    thinned = "" if every == 1 else f" One line in {every} of the {run.steps} is drawn."
    caption = (
        "Cross-entropy and share of mistakes at each epoch, logarithmic: of the training images, while the"
        " parameters changed and with dropout, and of the validation images, after the epoch." + thinned
    )
    words = f"Against the epoch; loss {plain(run.last('loss'), 3)} at the last."
    return Plate("curves", "Loss and error", caption, words, figure, 420)


def _angles(run: ClassifyRun) -> Plate | None:
    table = run.angles
    if table is None:
        return None
    figure = figures.by_angle(table["degrees"], table["accuracy"], table["error"])
    low, high = (100 * float(f(table["accuracy"])) for f in (np.nanmin, np.nanmax))
    caption = (
        "Accuracy on test images turned by an angle, cubic interpolation; the band is one standard error. A"
        " network whose outputs do not change under a turn has the same accuracy there and at 0, up to the"
        " interpolation."
    )
    words = f"Accuracy between {plain(low, 4)} % and {plain(high, 4)} % over {len(table['degrees'])} angles."
    return Plate("angles", "Turned images", caption, words, figure, 340)


def _rotations(run: ClassifyRun) -> Plate | None:
    table = run.rotations
    if table is None:
        return None
    figure = figures.by_rotation(table["elements"], table["accuracy"], table["error"])
    low, high = (100 * float(f(table["accuracy"])) for f in (np.nanmin, np.nanmax))
    caption = (
        f"Accuracy on {plain(table['count'])} test images as they are and turned at random, by harmonics;"
        " bars are one standard error. An invariant network has the same accuracy under every rotation."
    )
    words = (
        f"Accuracy between {plain(low, 4)} % and {plain(high, 4)} % over {len(table['elements'])} elements."
    )
    return Plate("rotations", "Rotated images", caption, words, figure, 380)


def _depth(run: ClassifyRun) -> Plate | None:
    table = run.depth
    if not table or not table["start"] or not table["end"]:
        return None
    figure = figures.by_depth(table)
    caption = (
        "Layer by layer, over some of the training images: the mean square K of the pre-activations, the"
        " growth of a small change of the input across it (χ_⊥) and along it (χ_∥) from one layer to the"
        " next, and how far the pre-activations are from normal numbers. At criticality χ_⊥ = χ_∥ = 1; batch"
        " norms hold K."
    )
    ordinary = table["ordinary"]
    if table["critical"]:
        caption += f" The start is {table['critical']}."
    if ordinary and ordinary.get("accuracy") is not None:
        share = plain(100 * ordinary["accuracy"], 4)
        caption += f" The same training from the ordinary start reaches {share} % on the same images."
    steps = table["start"]["perpendicular"], table["end"]["perpendicular"]
    before, after = (float(np.exp(np.nanmean(np.log(np.abs(s[:-1]) + 1e-30)))) for s in steps)
    words = f"χ_⊥ of a layer, geometric mean: {plain(before, 3)} at the start, {plain(after, 3)} trained."
    return Plate("depth", "Kernel by depth", caption, words, figure, 560, wide=True)


def _on_space(run: ClassifyRun) -> list[Plate]:
    """Some images where they lie: maps and a globe, or a mesh."""
    images, places = run.shown, run.places
    if images is None or not len(images):
        return []
    words = _taken(run)
    if images.ndim == 2:
        if not {"position", "face"} <= set(places):
            return []
        figure = mesh(places["position"], places["face"], images[0])
        caption = f"The first image at the vertices of the mesh, which the pointer turns: {words[0]}."
        return [Plate("mesh", "An image on the mesh", caption, caption, figure, 520, wide=True)]
    if not {"latitude", "longitude"} <= set(places):
        return []
    north, east = places["latitude"], places["longitude"]
    caption = f"Latitude against longitude, in degrees, from above: {'; '.join(words)}."
    figure = figures.maps(images, words, north, east)
    turned = f"The first image on the sphere, which the pointer turns: {words[0]}."
    return [
        Plate("maps", "Images on the sphere", caption, caption, figure, 150 * len(images) + 60),
        Plate("globe", "One on the globe", turned, turned, globe(images[0], north, east), 460),
    ]


def _taken(run: ClassifyRun) -> list[str]:
    """What each image that is shown is, and what the network takes it for."""
    assert run.shown is not None
    names = run.result.get("classes", [])
    pairs = (run.arrays.get(name, np.zeros(0)) for name in ("shown_labels", "shown_predictions"))
    found = [
        f"{_name(names, label)} taken for {_name(names, guess)}" for label, guess in zip(*pairs, strict=False)
    ]
    return found + ["an image"] * (len(run.shown) - len(found))


def _equivariance(run: ClassifyRun) -> Plate | None:
    figure = figures.equivariance(run.equivariance, run.result.get("precision") != "float64")
    if figure is None:
        return None
    caption = (
        "The largest relative difference between a layer of the turned input and the turned layer of the"
        " input, over all elements of the group; each layer on its own input, and the whole network at the"
        " end. Elements that map the grid to itself cost only rounding; the others are compared by"
        " interpolation."
    )
    if run.result.get("space"):
        caption = (
            "The largest relative difference between a layer of the turned input and the turned layer of the"
            " input, over random rotations, of a mesh changes of frames; each layer on its own input, and the"
            " whole network at the end. Linear layers cost only rounding, non-linearities what they make"
            " beyond the band limit."
        )
    errors = [row["error"] for row in run.equivariance if row["exact"] and row["error"] is not None]
    worst = plain(max(errors, default=None), 2)
    which = "rotations" if run.result.get("space") else "elements that map the grid to itself"
    words = f"The largest error over {which} is {worst}."
    return Plate("equivariance", "Equivariance of each layer", caption, words, figure, 380)


def _conserved(run: ClassifyRun) -> Plate | None:
    found = run.result.get("conserved")
    figure = figures.conserved(run.metrics)
    if not found or figure is None or not found["laws"]:
        return None
    shown = "; ".join(found["formulas"][:3])
    said = f" {' '.join(map(sentence_of, found['warnings']))}" if found["warnings"] else ""
    caption = (
        f"Gradient flow of this network conserves {plain(found['laws'])} linear and quadratic quantities,"
        f" {plain(found['independent'])} of them independent: {shown} … The largest change of one since the"
        " start, over the size of its terms, at each epoch. Plain gradient descent would change them"
        f" in second order of its rate alone; AdamW, which learnt here, does not keep them.{said}"
    )
    words = f"{plain(found['laws'])} quantities; the largest change at the end is {plain(found['drift'], 2)}."
    return Plate("conserved", "What gradient flow conserves", caption, words, figure, 340)


def _confusion(run: ClassifyRun) -> Plate | None:
    if run.confusion is None:
        return None
    figure = figures.confusion(run.confusion, run.result["classes"])
    wrong = int(run.confusion.sum() - np.trace(run.confusion))
    caption = (
        "How many images of each class (a row) were taken for each class; colours are shares of the row."
    )
    words = f"{wrong} of {int(run.confusion.sum())} images off the diagonal."
    return Plate("confusion", "Confusion", caption, words, figure, 440)


def _filters(run: ClassifyRun) -> Plate | None:
    filters = run.arrays.get("filters")
    if filters is None:
        return None
    shown = filters[:MOST_FILTERS, :MOST_ELEMENTS]
    count, elements, *shape = shown.shape
    drawn = signed_pictures(shown.reshape(count * elements, -1), (shape[0], shape[1]))
    groups = tuple(
        Tiles(
            "", f"Filter {k + 1} under {elements} elements.", tuple(drawn[k * elements : (k + 1) * elements])
        )
        for k in range(count)
    )
    caption = (
        f"Kernels of the first layer, each with its orbit: moved by the {elements} elements of"
        f" {run.result.get('group')} in turn. Only the first picture of each row has weights of its own."
        " Blue is positive, orange negative."
    )
    words = f"{count} filters moved by {elements} elements."
    return Plate("filters", "Filters and their orbits", caption, words, None, 0, wide=True, tiles=groups)


def _mistakes(run: ClassifyRun) -> Plate | None:
    images = run.arrays.get("wrong_images")
    if images is None or "wrong_labels" not in run.arrays or "wrong_predictions" not in run.arrays:
        return None
    shown = images[:MOST_MISTAKES]
    if shown.shape[-1] == 3:
        drawn = colour_pictures(shown)
    else:
        drawn = unit_pictures(shown.mean(axis=-1).reshape(len(shown), -1), shown.shape[1:3], "")
    names = run.result.get("classes", [])
    pairs = [
        f"{_name(names, label)} taken for {_name(names, guess)}"
        for label, guess in zip(run.arrays["wrong_labels"], run.arrays["wrong_predictions"], strict=True)
    ][:MOST_MISTAKES]
    caption = f"The mistakes that the network is most sure of, row by row: {', '.join(pairs)}."
    tiles = (Tiles("", f"{len(shown)} images.", tuple(drawn)),)
    return Plate("mistakes", "Mistakes", caption, caption, None, 0, wide=True, tiles=tiles)


def _name(names: list[str], number: float) -> str:
    k = int(number)
    return names[k] if 0 <= k < len(names) else str(k)
