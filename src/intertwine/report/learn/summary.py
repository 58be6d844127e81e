"""The words of a learning run's page: title, one sentence, what to beware of, headline numbers, result."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import sentence_of
from intertwine.records.caveats import of_learning
from intertwine.report.learn.read import LearnRun
from intertwine.report.numbers import ABSENT, duration, plain, with_error


def title(run: LearnRun) -> str:
    """What was computed, for a heading."""
    model = str(run.result.get("model") or _configured(run, "model") or run.name)
    data = str(run.result.get("data", {}).get("name") or _configured(run, "data") or "")
    return f"Learning: {model}" + (f" on {data.rpartition('/')[2]}" if data else "")


def lead(run: LearnRun) -> str:
    """The run in one sentence."""
    if not run.finished:
        plural = "" if run.steps == 1 else "s"
        return f"This run has not finished: {run.steps} line{plural} so far, and no final estimate yet."
    found, rows = _likelihood(run)
    if not found or found["mean"] is None:
        return "This run has finished; it recorded no likelihood."
    sentence = f"Mean log-likelihood of {rows} {with_error(found['mean'], found['error'])} nats per row"
    best = run.best
    if best is not None:
        below = best - found["mean"]
        words = (
            f"{plain(abs(below), 3)} {'below' if below >= 0 else 'above'} the best possible {plain(best, 8)}"
        )
        sentence += f", {words}"
    lower, upper = found["lower"], found["upper"]
    if lower is not None and upper is not None and upper > lower:
        sentence += f"; its bracket from annealing: {plain(lower, 6)} to {plain(upper, 6)}"
    return sentence + "."


def notices(run: LearnRun) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    if not run.finished:
        return said
    return said + [sentence_of(line) for line in of_learning(run.result)]


def cards(run: LearnRun) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        epoch = run.last("epoch")
        at = "no line yet" if epoch is None else f"at epoch {plain(epoch, 4)}"
        likelihood = with_error(run.last("log_likelihood"), run.last("log_likelihood_error"))
        return [
            ("Log-likelihood", likelihood, "the last estimate"),
            ("Pseudo-likelihood", plain(run.last("pseudo_likelihood"), 5), at),
            ("Reconstruction", plain(run.last("reconstruction_error"), 3), at),
        ]  # fmt: skip
    found, rows = _likelihood(run)
    log_z = run.result["log_z"]
    shown = [
        ("Log-likelihood", with_error(found.get("mean"), found.get("error")), f"nats per row, {rows}"),
        ("ln Z", with_error(log_z["mean"], log_z["error"]), str(log_z.get("method") or "")),
    ]
    if run.best is not None:
        shown.append(("Best possible", plain(run.best, 7), "minus the entropy of the distribution"))
    else:
        shown.append(
            ("Free-energy gap", plain(run.last("free_energy_gap"), 3), "nats, rows held out above others")
        )
    sampling = run.result["sampling"]
    tau, thin = sampling["tau"], sampling["sweeps_between_draws"] or 1
    shown.append(
        ("Autocorrelation", f"{plain(None if tau is None else tau * thin, 3)} sweeps" if tau else ABSENT,
         f"R-hat {plain(sampling['r_hat'], 4)}"),
    )  # fmt: skip
    return shown


def table(run: LearnRun) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, data, sampling = run.result, run.result["data"], run.result["sampling"]
    found = [
        ("data", _word(data.get("name"))),
        ("rows learnt from", plain(data["rows"])),
        ("rows held out", plain(data["held_out"])),
        (
            "units",
            _word(data.get("units")) + (", binarised at every visit" if data.get("grey") is True else ""),
        ),
        ("checksum", _word(data.get("checksum"))),
        ("model", _word(result.get("model"))),
        ("parameters", plain(result["parameters"])),
        ("epochs", plain(result["epochs"])),
    ]
    for rows, label in (("test", "held out"), ("train", "learnt from")):
        values = result["log_likelihood"].get(rows)
        if values:
            found.append((f"log-likelihood, {label}", with_error(values["mean"], values["error"])))
        columns = result["independent_columns"].get(rows)
        if columns:
            found.append((f"the same of independent columns, {label}", plain(columns["mean"], 6)))
    log_z = result["log_z"]
    found.append(("ln Z between", f"{plain(log_z['lower'], 7)} and {plain(log_z['upper'], 7)}"))
    found.append(("samples", f"{plain(sampling['chains'])} chains of {plain(sampling['draws'])} draws"))
    found.append(("effective sample size", plain(sampling["ess"], 5)))
    for name, values in result["observables"].items():
        of = values["samples"]
        words = f"{with_error(of['mean'], of['error'])}; exact {plain(values['exact'], 6)}"
        found.append((f"{_plain_name(name)} of samples", words))
        found.append(
            (f"{_plain_name(name)} of the data", with_error(values["data"]["mean"], values["data"]["error"]))
        )
    return [*found, ("wall time", duration(result["seconds"]))]


def _likelihood(run: LearnRun) -> tuple[dict[str, Any], str]:
    found = run.result.get("log_likelihood", {})
    return (
        (found["test"], "rows held out")
        if found.get("test")
        else (found.get("train", {}), "the rows learnt from")
    )


def _configured(run: LearnRun, section: str) -> Any:
    table = run.config.get(section)
    return table.get("name") if isinstance(table, dict) else table


def _word(value: object) -> str:
    return ABSENT if value is None else str(value)


def _plain_name(name: str) -> str:
    return name.replace("_", " ").replace("abs magnetization", "|magnetization|")
