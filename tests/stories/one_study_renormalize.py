"""Rows of test_one_study of the command renormalize: (flags, by the function, from the folder)."""

import math

import jax
import numpy as np

import intertwine as it

K_C = math.log(1 + math.sqrt(2)) / 2
K_A = 0.30468893
EXPONENTS = ("y_T", "y_T_error", "y_H", "y_H_error")
FEW = ["--levels", "2", "--couplings", "2", "--samples", "800", "--bins", "8", "--chains", "5"]
SIZES = ["--exponents", "--sizes", "4-6-8", "--samples", "800", "--bins", "8", "--chains", "5"]


def of_mcrg(found):
    verdict = np.array(found.fixed_point, float)
    return {name: getattr(found, name) for name in EXPONENTS} | {"verdict": verdict}


def exponents_of_folder(folder):
    run = it.load(folder)
    verdict = np.array(run.result["fixed_point"], float)
    return {name: run.arrays[name] for name in EXPONENTS} | {"verdict": verdict}


def mcrg(model, seed=0, **options):
    settings = dict(levels=2, couplings=2, samples=800, bins=8, sampler=it.SwendsenWang(chains=5))
    return of_mcrg(it.rg.mcrg(model, **(settings | options), key=jax.random.key(seed)))


def glass():
    lattice = it.Square(8, 8)
    signs = np.random.default_rng(3).choice([-1.0, 1.0], len(lattice.bonds()))
    return mcrg(it.Ising(lattice, 0.5 * signs), levels=1, sampler=it.HeatBath(chains=5, steps=1, burn_in=200))


def flow():
    model = it.Ising(it.Square(16, 16), K=0.4, h=0.02)
    found = it.rg.coupling_flow(
        model, it.rg.Decimation(2), 2, 2, starts=2, samples=800, bins=8, sampler=it.SwendsenWang(chains=5),
        key=jax.random.key(0),
    )  # fmt: skip
    return {"K": found.K, "flow": found.couplings, "flow_error": found.errors, "y_H": found.mcrg.y_H}


def flow_of_folder(folder):
    run = it.load(folder)
    assert isinstance(run.rule, it.rg.Decimation) and run.model.field == 0.02
    names = {"K": "start_coupling", "flow": "flow", "flow_error": "flow_error", "y_H": "y_H"}
    return {name: run.arrays[key] for name, key in names.items()}


def scaling(family):
    found = it.rg.finite_size(
        family, (4, 6, 8), samples=800, bins=8, sampler=it.SwendsenWang(chains=5), key=jax.random.key(0)
    )
    return {
        "slope": found.slope, "square": found.square, "square_error": found.square_error,
        "nu": np.array(found.nu), "eta_error": np.array(found.eta_error),
    }  # fmt: skip


def scaling_of_folder(folder):
    run = it.load(folder)
    assert run.model.lattice.extent == (8, 8) and run.rule is None
    exponents = run.result["exponents"]
    return {
        "slope": run.arrays["column_slope"], "square": run.arrays["column_order"],
        "square_error": run.arrays["error_order"], "nu": np.array(exponents["nu"]["mean"]),
        "eta_error": np.array(exponents["eta"]["error"]),
    }  # fmt: skip


def anisotropic(side):
    """At K_A, where sinh 2K sinh 4K = 1."""
    lattice = it.Square(side, side)
    along = lattice.bonds()[:, 0] // side == lattice.bonds()[:, 1] // side
    return it.Ising(lattice, np.where(along, 2 * K_A, K_A))


def tensors():
    found = it.rg.trg_scan([K_C], chi=6)
    return {"errors": found.errors[0], "phases": found.phases[0, :24]}


def tensors_of_folder(folder):
    arrays = it.load(folder).arrays
    errors = [arrays["column_plain"][0], arrays["column_bond_weighted"][0]]
    return {"errors": np.array(errors), "phases": arrays["flow"][0, :, 0]}


def equation():
    torus = lambda K: it.Ising(it.Square(16, 16), K)  # noqa: E731
    found = it.rg.callan_symanzik_scan(torus, [0.35, 0.5], samples=1600, bins=8, key=jax.random.key(2))
    return {"beta": found.beta, "error": found.gamma_error, "left": found.residuals}


def equation_of_folder(folder):
    arrays = it.load(folder).arrays
    return {
        "beta": arrays["equation_beta"], "error": arrays["equation_gamma_error"],
        "left": arrays["equation_residual"],
    }  # fmt: skip


def curvatures():
    K = np.sort(K_C * np.linspace(0.7, 1.3, 4))
    found = it.geometry.curvature_scan(
        lambda K: it.Ising(it.Square(4, 4), K), K, samples=1000,
        sampler=it.SwendsenWang(chains=10, steps=1, burn_in=200), key=jax.random.key(0),
    )  # fmt: skip
    return {"R": np.abs(found.value), "error": found.error, "exact": np.abs(found.exact)}


def curvatures_of_folder(folder):
    arrays = it.load(folder).arrays
    names = {"R": "column_curvature", "error": "error_curvature", "exact": "fit_curvature"}
    return {name: arrays[key] for name, key in names.items()}


ROWS = {
    "Callan-Symanzik": (
        ["renormalize", "--system", "ising:16", "--callan-symanzik", "--at", "0.35,0.5", "--samples", "1600",
         "--bins", "8", "--seed", "2"],
        equation,
        equation_of_folder,
    ),
    "curvature": (
        ["renormalize", "--curvature", "--system", "ising:4", "--curvature-points", "4", "--samples", "1000"],
        curvatures,
        curvatures_of_folder,
    ),
    "mcrg": (
        ["renormalize", "--system", "ising:16", "--starts", "0", "--seed", "3", *FEW],
        lambda: mcrg(it.Ising(it.Square(16, 16), K=K_C), seed=3),
        exponents_of_folder,
    ),
    "mcrg, defaults, Potts": (
        ["renormalize", "--system", "potts:3:8", "--levels", "1", "--samples", "1000"],
        lambda: mcrg(it.Potts(it.Square(8, 8), 3, math.log(1 + math.sqrt(3))), levels=1, couplings=4,
                     samples=1000, bins=None, sampler=None),
        exponents_of_folder,
    ),
    "mcrg, a glass": (
        ["renormalize", "--system", "ea:8", "--coupling", "0.5", "--disorder", "3", *FEW, "--levels", "1"],
        glass,
        exponents_of_folder,
    ),
    "coupling flow, in a field": (
        ["renormalize", "--system", "ising:16", "--coupling", "0.4", "--field", "0.02", "--rule",
         "decimation:2", "--starts", "2", *FEW],
        flow,
        flow_of_folder,
    ),
    "finite size, Potts": (
        ["renormalize", "--system", "potts:3", *SIZES],
        lambda: scaling(lambda L: it.Potts(it.Square(L, L), 3, math.log(1 + math.sqrt(3)))),
        scaling_of_folder,
    ),
    "finite size, anisotropic": (
        ["renormalize", "--system", "ising", "--anisotropy", "2", "--coupling", str(K_A), *SIZES],
        lambda: scaling(anisotropic),
        scaling_of_folder,
    ),
    "tensor renormalization": (
        ["renormalize", "--rule", "trg:6", "--starts", "0"], tensors, tensors_of_folder,
    ),
    "Migdal-Kadanoff": (
        ["renormalize", "--rule", "migdal-kadanoff", "--starts", "0", "--levels", "5"],
        lambda: {"flow": it.rg.flow_diagram([K_C], it.rg.migdal_kadanoff(2), 5)},
        lambda folder: {"flow": it.load(folder).arrays["flow"]},
    ),
}  # fmt: skip
