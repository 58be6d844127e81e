"""The command `intertwine renormalize`."""

from __future__ import annotations

from typing import Annotated

import typer

from intertwine._checks import fail
from intertwine.cli.flags import Out, Overwrite, flag, tables_from_flags
from intertwine.cli.starting import start

TEXT = {"system.name", "system.bonds", "system.configurations", "rule.name", "scaling.sizes"}
FIELDS = {
    "study": "study",
    "system": "system.name",
    "coupling": "system.coupling",
    "field": "system.field",
    "next_coupling": "system.next",
    "anisotropy": "system.anisotropy",
    "bonds": "system.bonds",
    "disorder": "system.disorder",
    "configurations": "system.configurations",
    "rule": "rule.name",
    "ties": "rule.ties",
    "levels": "levels",
    "couplings": "couplings",
    "starts": "starts",
    "sampler": "sampler.name",
    "samples": "sampler.samples",
    "chains": "sampler.chains",
    "bins": "sampler.bins",
    "thin": "sampler.thin",
    "burn_in": "sampler.burn_in",
    "sizes": "scaling.sizes",
    "flow_steps": "network.steps",
    "flow_chains": "network.chains",
    "seed": "seed",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
}


def renormalize(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="a trained network: the folder of a learning run")
    ] = None,
    system: Annotated[
        str | None,
        flag("--system", "ising:64, triangular:48, potts:3:64, clock:4:32, edwards-anderson:16 …", "NAME"),
    ] = None,
    coupling: Annotated[str | None, flag("--coupling", "K = J/T, or critical", "NUMBER")] = None,
    field: Annotated[str | None, flag("--field", "h on every spin", "NUMBER")] = None,
    next_coupling: Annotated[str | None, flag("--next", "K of next-nearest neighbours", "NUMBER")] = None,
    anisotropy: Annotated[
        str | None, flag("--anisotropy", "K along the last direction over K of the others", "NUMBER")
    ] = None,
    bonds: Annotated[
        str | None, flag("--bonds", "own couplings: a line 'i j K' for every bond", "FILE")
    ] = None,
    disorder: Annotated[str | None, flag("--disorder", "which signs edwards-anderson has", "INTEGER")] = None,
    configurations: Annotated[
        str | None, flag("--configurations", "own ones, (n, N) or (chains, draws, N)", "FILE")
    ] = None,
    rule: Annotated[
        str | None,
        flag(
            "--rule",
            "majority:2, decimation:2, block-rbm:1.0, table:FILE, weights:FILE, migdal-kadanoff, "
            "niemeijer-van-leeuwen, trg:16",
            "NAME",
        ),
    ] = None,
    ties: Annotated[str | None, flag("--ties", "how equal votes end: random, first", "WORD")] = None,
    levels: Annotated[str | None, flag("--levels", "how often spins are blocked", "INTEGER")] = None,
    couplings: Annotated[
        str | None, flag("--couplings", "families of terms that are kept", "INTEGER")
    ] = None,
    starts: Annotated[
        str | None, flag("--starts", "other couplings to flow from, 0: none", "INTEGER")
    ] = None,
    sampler: Annotated[str | None, flag("--sampler", "auto, swendsen-wang, wolff, heat-bath", "WORD")] = None,
    samples: Annotated[str | None, flag("--samples", "configurations in all", "INTEGER")] = None,
    chains: Annotated[str | None, flag("--chains", "Markov chains", "INTEGER")] = None,
    bins: Annotated[str | None, flag("--bins", "batches, for error bars", "INTEGER")] = None,
    thin: Annotated[str | None, flag("--thin", "steps between draws", "INTEGER")] = None,
    burn_in: Annotated[str | None, flag("--burn-in", "steps before the first draw", "INTEGER")] = None,
    exponents: Annotated[
        bool, typer.Option("--exponents", help="ν and η by finite-size scaling, over several sizes")
    ] = False,
    sizes: Annotated[str | None, flag("--sizes", "of --exponents, such as 8-16-32", "L-L-…")] = None,
    flow_steps: Annotated[str | None, flag("--flow-steps", "v → h → v of a network", "INTEGER")] = None,
    flow_chains: Annotated[str | None, flag("--flow-chains", "that flow side by side", "INTEGER")] = None,
    seed: Annotated[str | None, flag("--seed", "same seed, same numbers", "INTEGER")] = None,
    precision: Annotated[str | None, flag("--precision", "float64, float32", "WORD")] = None,
    checkpoint_every: Annotated[str | None, flag("--checkpoint-every", "batches", "INTEGER")] = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Coarse-grain a spin system or a trained network; alone: the critical Ising model on 64 x 64 sites."""
    if run is not None and (rule is not None or exponents):
        got = "a run folder and --" + ("rule" if rule is not None else "exponents")
        raise fail("RUN", "a run folder alone", got, "leave one of them out")
    study = "exponents" if exponents else None
    fields = FIELDS | ({"samples": "scaling.samples"} if exponents else {})
    if run is not None:
        study, rule = "network", run
    return start(tables_from_flags("renormalize", fields, locals(), TEXT), out, overwrite)
