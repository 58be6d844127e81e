"""What qualifies the numbers of a run on structures (see `records.caveats`)."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import caveat, once
from intertwine.records.caveats import ALIKE, BROKEN, LEAD, TESTED

FEW = 10
"""Errors of fewer structures say little of others."""

HARDLY = 0.9
"""An error above this share of a baseline's is told: hardly anything is learnt."""

Record = dict[str, Any]


def of_structures(record: Record) -> list[str]:
    """The caveats of a run of fields or classify on structures. `sizes` of the record: points of the smallest
    and largest structure that was tested."""
    said = list(record.get("warnings") or [])
    said += (record.get("data") or {}).get("notes") or []
    tested, count = TESTED.get(str(record.get("tested_on"))), (record.get("structures") or {}).get("tested")
    if tested is not None and tested != "test":
        said.append(
            caveat(
                "no-test-data", f"there were no test structures: the errors are those of the {tested} ones"
            )
        )
    elif count is not None and count < FEW:
        said.append(
            caveat("unjudged", f"the errors are those of {count} structures, which say little of others")
        )
    said += below_baselines(record.get("errors") or {})
    said += _classes(record)
    learnt = (record.get("model") or {}).get("sizes")
    said += beyond_sizes(record.get("sizes"), learnt)
    worst = max((row["error"] or 0.0 for row in record.get("equivariance") or []), default=0.0)
    if worst > 10 * BROKEN.get(str(record.get("precision")), BROKEN["float32"]):
        words = f"what the network says changes by {worst:.1g} of the largest where structures are turned"
        said.append(caveat("not-equivariant", f"{words}: it should not but for rounding"))
    return once(said)


def below_baselines(errors: Record) -> list[str]:
    """The caveats of targets that a baseline says as well as the network does, or nearly."""
    said = []
    for name, found in errors.items():
        for what, value in found["baselines"].items():
            if value * HARDLY < found["rmse"] and found["rmse"] > ALIKE * found["rms"]:
                words = f"{what} says {name} with an rms error of {value:.4g}"
                words += f", the network with {found['rmse']:.4g}"
                said.append(caveat("below-baseline", f"{words}; train longer, or with more structures"))
    return said


def _classes(record: Record) -> list[str]:
    baseline, found = record.get("baseline"), record.get("test")
    if not baseline or not found or found["accuracy"] - baseline["accuracy"] > LEAD * baseline["lead_error"]:
        return []
    name = record["classes"][baseline["class"]]
    words = f"always saying {name}, the commonest class, has {baseline['accuracy']:.2%} of them right"
    remedy = "train longer, or with more structures; with more to test, smaller differences are seen"
    return [caveat("below-baseline", f"{words}: the network is not surely better than that; {remedy}")]


def beyond_sizes(sizes: list[int] | None, learnt: list[int] | None) -> list[str]:
    """The caveat of structures outside of the sizes that were learnt from.

    >>> beyond_sizes([9, 200], [9, 21])
    ['assumption: structures of 9 to 200 points, where those learnt from have 9 to 21: nothing tells how good
    the network is beyond']
    >>> beyond_sizes([9, 9], [9, 21])
    []
    """
    if not sizes or not learnt or (sizes[0] >= learnt[0] and sizes[1] <= learnt[1]):
        return []
    here, there = (f"{low} to {high}" for low, high in (sizes, learnt))
    words = f"structures of {here} points, where those learnt from have {there}"
    return [caveat("assumption", f"{words}: nothing tells how good the network is beyond")]
