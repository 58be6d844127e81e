"""Deep machines on Ising samples: receptive fields by layer, and the layers as a flow.

    python benchmarks/dbm_on_ising.py [--epochs 200] [--l1 3e-3] [--machine dbn|dbm]          (16 × 16 sites)
    python benchmarks/dbm_on_ising.py --side 40 --layers 400 100 25           (as Mehta & Schwab 2014)

Swendsen-Wang samples of the square torus at several couplings (`--couplings`; T_c is 0.4407) each teach a
machine of their own: a stack of RBMs (`dbn`, as in arXiv:1410.3831), or a deep Boltzmann machine
(`dbm`) trained jointly after it. ±1 units, L1 penalty on the weights of a stack. Printed for each: widths and
numbers of sites of the receptive fields of every layer (products of weights), and energy, |m| and temperature
of every layer with its units laid out on a torus by their fields. Nothing forces fields to be local, or to
grow with depth: a weaker penalty or a shorter training leaves them wide.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax
import numpy as np

from intertwine.boltzmann.objectives.methods import CD, PCD
from intertwine.boltzmann.training.deep_belief import learn_deep_belief
from intertwine.boltzmann.training.deep_boltzmann import learn_deep_boltzmann
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.spins.ising import Ising
from intertwine.rg.networks.layer_flow import layer_flow
from intertwine.rg.networks.receptive_fields import receptive_fields
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square


def main() -> None:
    """Parse, sample, train, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--layers", type=int, nargs="+", default=[64, 16])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--couplings", type=float, nargs="+", default=[0.367, 0.408, 0.449])
    parser.add_argument("--l1", type=float, default=3e-3)
    parser.add_argument("--machine", choices=("dbn", "dbm"), default="dbn")
    options = parser.parse_args()
    lattice, key = Square(options.side), jax.random.key(0)
    lattices = [lattice, *(Square(round(n**0.5)) for n in options.layers)]
    for part, K in enumerate(options.couplings):
        begun, one = perf_counter(), jax.random.fold_in(key, part)
        sampler = SwendsenWang(chains=20, steps=3, burn_in=500)
        spins = np.asarray(sample(Ising(lattice, K), options.samples, sampler=sampler, key=one))
        sizes = (lattice.size, *options.layers)
        if options.machine == "dbn":
            machine = DBN(sizes, units="spin", hidden_units="spin", key=one)
            fit = learn_deep_belief(
                machine, spins, method=CD(1), epochs=options.epochs, transpose=False, l1=options.l1, key=one
            )
        else:
            machine = DBM(sizes, units="spin", hidden_units="spin", key=one)
            fit = learn_deep_boltzmann(
                machine,
                spins,
                method=PCD(chains=100),
                pretrain=options.epochs // 2,
                epochs=options.epochs,
                key=one,
            )
        print(f"\nK = {K:.3f} ({options.machine}, {perf_counter() - begun:.0f} s)")
        print(receptive_fields(fit.model, lattice))
        print(layer_flow(fit.model, spins, lattices, key=one), flush=True)


if __name__ == "__main__":
    main()
