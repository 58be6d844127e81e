"""What a classifying run says at its beginning, while it goes on, and at its end."""

from __future__ import annotations

from typing import Any

from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.records.caveats import TESTED


def announce(problem: Any) -> None:
    """The images, the network, and how long it will learn."""
    c, images = problem.configuration, problem.images
    tested = "" if images.test is None else f", {len(images.test.labels)} to test with"
    rows, side = len(problem.data.train), images.side
    print(f"{problem.data.name}: {rows} images of {side} × {side} points{tested}")
    count = parameter_count(problem.training.stages[0].machine(()).module)
    held = 0 if images.validation is None else len(images.validation.labels)
    shares = f"{len(images.train.labels)} images to learn from, {held} to watch, {images.classes} classes"
    print(
        f"{c.network.name} on {c.group}, {count} parameters; {shares}; {c.optimiser.epochs} epochs",
        flush=True,
    )


def words(record: dict[str, Any]) -> str:
    """A line of metrics.

    >>> words({"loss": 0.5, "accuracy": 0.9, "validation_accuracy": None})
    'loss 0.5000  accuracy 90.00 %'
    """
    found = f"loss {record['loss']:.4f}  accuracy {100 * record['accuracy']:.2f} %"
    if record.get("validation_accuracy") is not None:
        found += f"  validation {100 * record['validation_accuracy']:.2f} %"
    return found


def headline(record: dict[str, Any]) -> list[str]:
    """The accuracy, and how equivariant the network is."""
    found = record["test"]
    share, error = 100 * found["accuracy"], 100 * found["error"]
    said = [
        f"{TESTED[record['tested_on']]} accuracy {share:.2f} ± {error:.2f} % of {found['count']} images "
        f"(error {100 - share:.2f} %)"
    ]
    whole = [row for row in record["equivariance"] if row["layer"] == "whole"]
    for exact, name in ((True, "elements that map the grid to itself"), (False, "others, resampled")):
        errors = [row["error"] for row in whole if row["exact"] is exact]
        if errors:
            said.append(f"equivariance of the whole network: {max(errors):.1e} over {name}")
    return said
