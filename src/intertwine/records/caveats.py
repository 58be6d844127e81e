"""What qualifies the numbers of a run: the lines of `warnings` in its result.json, a function a kind.

The rule of `intertwine._caveats`: the same lines stand in result.json, beneath the headline on the terminal,
and under the headline numbers of the page. Each function is given the record, and looks at all signs at once;
what only the run itself could see is in the record's own `warnings`. A number that is not there is None.
"""

from __future__ import annotations

from typing import Any

from intertwine._caveats import below_baseline, caveat, code_of, disagreement, once

BELOW_EXACT = 5.0
"""So many standard errors below the exact energy are taken for a fault, not for chance."""

ROUNDED = {"float32": 1e-5, "float64": 1e-10}
"""Relative rounding of an energy."""

ROUNDED_CONSTANT = 1e-13
"""The same of the constant of a Hamiltonian, which is added in float64, also by Lanczos."""

FAR_ABOVE = 0.01
"""An energy that lies above the exact one by a larger share is not that of the ground state."""

FAR = 3.0
"""So many standard errors from an exact value are told."""

FAR_ENERGY = 4.0
"""The same of the energy of a spin system."""

OVERFIT = 0.05
"""A gap between the likelihoods of both sets above this share of the entropy, or of the likelihood."""

BROKEN = {"float32": 1e-4, "float64": 1e-9}
"""Above this relative error over exact elements a network is said not to be equivariant."""

UNEVEN = 0.02
"""Above this relative error a network whose non-linearities are sampled is said not to be equivariant."""

LEAD = 2.0
"""A lead over the commonest class of fewer standard errors may be chance."""

TESTED = {"test": "test", "validation": "held-out", "train": "training"}

Record = dict[str, Any]


def of_ground_state(record: Record) -> list[str]:
    """The caveats of a ground-state run."""
    energy, exact = record["energy"], record.get("exact") or {}
    remedy = "raise --final-samples or --sweep, or take --rule mixture"
    said = [*_own(record), *disagreement(energy["r_hat"], "the final energy", remedy)]
    known, scatter = exact.get("energy"), exact.get("error") or 0.0
    said += far_from_exact(energy["mean"], energy["error"], known, scatter, str(record.get("precision")))
    return once(said)


def far_from_exact(
    mean: float | None,
    error: float | None,
    exact: float | None,
    exact_error: float,
    precision: str,
    centre: float = 0.0,
) -> list[str]:
    """The caveats of a ground-state energy `mean` ± `error` where the `exact` one is known (None: not).
    precision: "float32" or "float64", that of the sums. centre: the mean energy of all states, from which
    shares are counted, so that H and H + c are judged alike.

    >>> len(far_from_exact(-9.0, 0.0, -9.0, 0.0, "float64")), len(far_from_exact(-7.5, 1e-4, -9.0, 0.0, ""))
    (0, 1)
    """
    if mean is None or exact is None:
        return []
    depth = abs(exact - centre)
    rounding = ROUNDED.get(precision, ROUNDED["float32"]) * depth + ROUNDED_CONSTANT * abs(centre)
    # sums over all configurations have no error bar, but are rounded
    allowed = max(BELOW_EXACT * max(error or 0.0, exact_error), rounding)
    if error is not None and mean < exact - allowed:
        words = f"the energy lies more than {BELOW_EXACT:.0f} standard errors below the exact one"
        reason = "where no state can be: the sampling or the reference is wrong"
        return [caveat("far-from-exact", f"{words}, {reason}")]
    if depth and mean - exact > max(FAR_ABOVE * depth, allowed):
        words = f"the energy lies {(mean - exact) / depth:.0%} above the exact one"
        words += ", counted from the mean of all levels" if centre else ""
        return [caveat("far-from-exact", f"{words}: this is not the ground state")]
    return []


ALIKE = 1e-4
"""Relative differences of errors below this are not told, nor errors of this share of the fields."""


def of_learning(record: Record) -> list[str]:
    """The caveats of a learning run."""
    notes = record["data"].get("notes")
    said = [caveat("data", n) for n in notes if isinstance(n, str) and n] if isinstance(notes, list) else []
    said += _own(record)
    log_z, entropy = record["log_z"], record["data"].get("entropy")
    if log_z.get("trusted") is False:
        reason = log_z.get("reason") or "no reason was given"
        said.append(caveat("untrusted", f"the estimate of ln Z is not to be trusted: {reason}"))
    if log_z.get("trusted") is None and log_z.get("reason"):
        said.append(caveat("unjudged", f"nothing judges the estimate of ln Z: {log_z['reason']}"))
    if not any(code_of(line) == "below-baseline" for line in said):
        said += _below_independent(record)
    remedy = "sample longer, or train and sample with tempering"
    said += disagreement(record["sampling"]["r_hat"], "the sampling chains", remedy)
    train, test = (record["log_likelihood"].get(rows, {}).get("mean") for rows in ("train", "test"))
    if train is not None and test is not None and train - test > OVERFIT * abs(entropy or test):
        words = f"rows learnt from are likelier than rows held out by {train - test:.3g} nats"
        remedy = "more rows, fewer hidden units or epochs, or weight decay help"
        said.append(caveat("overfitting", f"{words}: the machine has begun to learn them by heart; {remedy}"))
    for name, values in record["observables"].items():
        if values["distance"] is not None and values["distance"] > FAR:
            what = name.replace("_", " ").replace("abs magnetization", "|magnetization|")
            words = f"the samples' {what} lies {values['distance']:.1f} errors from the exact value"
            said.append(caveat("far-from-exact", words))
    return once(said)


def _below_independent(record: Record) -> list[str]:
    """A machine that explains the data worse than independent columns do, by more than chance."""
    columns = record.get("independent_columns") or {}
    name = "test" if "test" in record["log_likelihood"] else "train"
    found, known = record["log_likelihood"].get(name) or {}, columns.get(name) or {}
    mean, error, independent = found.get("mean"), found.get("error"), known.get("mean")
    if mean is None or independent is None:
        return []
    if record.get("bound"):
        if mean - independent > LEAD * (known.get("error_of_gain", error) or 0.0):
            return []
        words = f"the bound on the log-likelihood, {mean:.4g}, is not above that of independent columns"
        remedy = "more epochs, or an rbm, whose likelihood is known"
        return [caveat("unjudged", f"{words}: whether anything more was learned cannot be told; {remedy}")]
    train, alone = (x.get("train", {}).get("mean") for x in (record["log_likelihood"], columns))
    learned = name == "test" and train is not None and alone is not None and train > alone
    return list(below_baseline(mean, independent, known.get("error_of_gain", error) or 0.0, learned))


def of_fields(record: Record) -> list[str]:
    """The caveats of a run of fields."""
    said = list(_own(record))
    tested = TESTED.get(str(record.get("tested_on")))
    if tested is not None and tested != "test":
        words = f"the errors are those of the {tested} samples"
        said.append(caveat("no-test-data", f"there were no test samples: {words}"))
    for name, found in record["errors"].items():
        baselines = {what: found.get(what) for what in ("mean_field", "linear")}
        better = {
            what: value
            for what, value in baselines.items()
            if value is not None
            and value < found["rmse"] * (1 - ALIKE)
            and found["rmse"] > ALIKE * found["rms"]
        }
        for what, value in better.items():
            known = {"mean_field": "the mean field", "linear": "the best linear map"}[what]
            words = f"{known} says {name} with an error of {value:.4g}, the network with {found['rmse']:.4g}"
            said.append(caveat("below-baseline", f"{words}; train longer, or with more samples"))
    return once([*said, *_uneven(record)])


def _uneven(record: Record) -> list[str]:
    """The caveat of a network on a space that is not equivariant enough: its non-linearities are `sampled`
    beyond the band limit, or it should be to rounding."""
    rows = [row for row in record["equivariance"] if row["layer"] == "whole" and row.get("exact", True)]
    whole, sampled = max((row["error"] or 0.0 for row in rows), default=0.0), record.get("sampled", True)
    limit = UNEVEN if sampled else BROKEN.get(str(record.get("precision")), BROKEN["float32"])
    if whole > limit:
        reason = "its non-linearities reach beyond the band limit" if sampled else "it should be to rounding"
        return [caveat("not-equivariant", f"the network is equivariant to {whole:.1g} alone: {reason}")]
    return []


def of_applied(record: Record, checksum: str) -> list[str]:
    """What qualifies the errors on a file that a run of fields is applied to, besides the run's own."""
    if not checksum or checksum != (record.get("data") or {}).get("checksum"):
        return []
    words = "this is the file that was learnt from: errors on it say little of other fields"
    return [caveat("no-test-data", words)]


def of_classifying(record: Record) -> list[str]:
    """The caveats of a classifying run."""
    said = list(_own(record))
    tested = TESTED.get(str(record.get("tested_on")))
    if tested is not None and tested != "test":
        words = f"the accuracy is that of the {tested} images"
        said.append(caveat("no-test-data", f"there were no test images: {words}"))
    baseline, found = record.get("baseline"), record["test"]
    if baseline and found["accuracy"] - baseline["accuracy"] <= LEAD * baseline["lead_error"]:
        name = record["classes"][baseline["class"]]
        words = f"always saying {name}, the commonest class, has {baseline['accuracy']:.2%} of them right"
        remedy = "train longer, or with more images; with more to test, smaller differences are seen"
        said.append(
            caveat("below-baseline", f"{words}: the network is not surely better than that; {remedy}")
        )
    limit = BROKEN.get(str(record.get("precision")), BROKEN["float32"])
    if record.get("space"):
        return once([*said, *_uneven(record)])
    for row in record["equivariance"]:
        if row["exact"] and row["error"] is not None and row["error"] > limit:
            words = (
                f"{row['layer']} is not equivariant under {row['name']}: relative error {row['error']:.2g}"
            )
            said.append(caveat("not-equivariant", words))
            break
    return once(said)


def of_renormalization(record: Record) -> list[str]:
    """The caveats of a renormalization run."""
    said = []
    if record.get("fixed_point") is False:
        reason = record.get("reason") or "no reason was given"
        said.append(caveat("no-fixed-point", f"no fixed point: {reason}"))
    if record.get("fixed_point", False) is None and record.get("reason"):
        said.append(caveat("unjudged", f"whether there is a fixed point cannot be told: {record['reason']}"))
    said += _own(record)
    energy = (record.get("observables") or {}).get("energy") or {}
    mean, exact, error = (energy.get(name) for name in ("mean", "exact", "error"))
    if mean is not None and exact is not None and error:
        far = abs(mean - exact) / error
        if far > FAR_ENERGY:
            words = f"the energy lies {far:.1f} errors from the exact value"
            said.append(caveat("far-from-exact", f"{words}: the sampling is to be doubted"))
    return once(said)


def _own(record: Record) -> list[str]:
    return record.get("warnings") or []
