"""NequIP or PaiNN (SchNetPack) on energies and forces of one molecule for a given time, for `ethanol.py`.

    PEER_PYTHON benchmarks/peers/force_worker.py '{"library": "nequip", "frames": 300, "minutes": 4}'

in an environment with torch, nequip and schnetpack. Lines of JSON: progress, then the errors on the test
trajectories in meV and meV/Å (means of absolute values over components). The networks are the packages' own;
the loop is the same for both and what their examples use: Adam, energies per atom and forces in the mean
square, an exponential average of the weights, the best of it kept by held-out trajectories. The rate falls to
zero as a cosine of the time used, because the time is what is given. Every pair of atoms within the cut-off
is an edge. Minutes are of one core, with one thread: all counts but the import and the last test.
NequIP: Batzner et al., Nat. Commun. 13, 2453 (2022). PaiNN: Schütt, Unke, Gastegger, ICML 2021.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from ethanol_data import rows_of

CUTOFF = 5.0


def nequip_network(
    species, seed, mean, scale, neighbours, *, l_max=2, channels=32, layers=3, parity=False, compiled=False
):
    """(module, edges -> inputs, outputs -> (energies, forces)), in units of `scale`."""
    from nequip.data import AtomicDataDict as D
    from nequip.model import NequIPGNNModel
    from nequip.utils.global_state import set_global_state

    set_global_state()
    elements = sorted(set(species.tolist()))
    network = NequIPGNNModel(
        seed=seed,
        model_dtype="float32",
        compile_mode="compile" if compiled else "eager",
        type_names=[f"Z{z}" for z in elements],
        r_max=CUTOFF,
        num_layers=layers,
        l_max=l_max,
        parity=parity,
        num_features=channels,
        radial_mlp_depth=1,
        radial_mlp_width=64,
        avg_num_neighbors=neighbours,
        per_type_energy_scales=1.0,
        per_type_energy_shifts=0.0,
    )
    types = torch.tensor([elements.index(z) for z in species.tolist()])

    def inputs(x, edges, structure, count):
        return {
            D.POSITIONS_KEY: x.reshape(-1, 3),
            D.EDGE_INDEX_KEY: edges,
            D.ATOM_TYPE_KEY: types.repeat(count),
            D.BATCH_KEY: structure,
            D.NUM_NODES_KEY: torch.full((count,), len(species)),
        }

    return network, inputs, lambda out: (out[D.TOTAL_ENERGY_KEY].reshape(-1), out[D.FORCE_KEY])


def painn_network(species, seed, mean, scale, neighbours, *, channels=128, layers=3):
    import torch.utils.data.dataloader as loader

    loader.T_co = getattr(loader, "T_co", getattr(loader, "_T_co", None))  # SchNetPack 2.0.3 imports it
    import schnetpack as spk
    from schnetpack import properties as P

    torch.manual_seed(seed)
    network = spk.model.NeuralNetworkPotential(
        representation=spk.representation.PaiNN(
            n_atom_basis=channels,
            n_interactions=layers,
            radial_basis=spk.nn.GaussianRBF(n_rbf=20, cutoff=CUTOFF),
            cutoff_fn=spk.nn.CosineCutoff(CUTOFF),
        ),
        input_modules=[spk.atomistic.PairwiseDistances()],
        output_modules=[
            spk.atomistic.Atomwise(n_in=channels, output_key="energy"),
            spk.atomistic.Forces(energy_key="energy", force_key="forces"),
        ],
    )
    numbers = torch.tensor(species)

    def inputs(x, edges, structure, count):
        return {
            P.R: x.reshape(-1, 3),
            P.Z: numbers.repeat(count),
            P.idx_i: edges[0],
            P.idx_j: edges[1],
            P.idx_m: structure,
            P.offsets: torch.zeros(edges.shape[1], 3),
            P.n_atoms: torch.full((count,), len(species)),
        }

    return network, inputs, lambda out: (out["energy"], out["forces"])


NETWORKS = {"nequip": nequip_network, "painn": painn_network}
RATES = {"nequip": 1e-2, "painn": 1e-3}


def edges_of(x, atoms):
    """(2, E) centres and neighbours within the cut-off, and the structure of each atom."""
    there = (torch.cdist(x, x) < CUTOFF) & ~torch.eye(atoms, dtype=torch.bool)
    s, i, j = there.nonzero(as_tuple=True)
    return torch.stack([s * atoms + i, s * atoms + j]), torch.arange(len(x)).repeat_interleave(atoms)


class Averaged:
    """Exponential average of the weights, begun quickly."""

    def __init__(self, network, decay):
        self.decay, self.count = decay, 0
        self.values = {k: v.detach().clone() for k, v in network.named_parameters()}

    def update(self, network):
        self.count += 1
        keep = min(self.decay, (1 + self.count) / (10 + self.count))
        for k, v in network.named_parameters():
            self.values[k].lerp_(v.detach(), 1 - keep)

    def put(self, network):
        """The averaged weights into the network; those that were there come back."""
        old = {k: v.detach().clone() for k, v in network.named_parameters()}
        put(network, self.values)
        return old


def put(network, values):
    with torch.no_grad():
        for k, v in network.named_parameters():
            v.copy_(values[k])


def run(
    library: str,
    frames: int = 300,
    minutes: float = 4.0,
    seed: int = 0,
    data: str = str(Path(__file__).resolve().parents[1] / "data" / "ethanol.npz"),
    batch: int = 5,
    rate: float | None = None,
    energy_weight: float = 1.0,
    decay: float = 0.99,
    threads: int = 1,
    **options,
):
    torch.set_num_threads(threads)
    columns = np.load(data)
    rows = rows_of(columns["trajectory"], frames, seed)
    species, atoms = columns["species"], len(columns["species"])
    began = time.process_time()
    learnt = rows[0]
    mean = columns["energies"][learnt].mean()
    scale = math.sqrt((columns["forces"][learnt] ** 2).mean())
    x = torch.tensor(columns["positions"], dtype=torch.float32)
    energies = torch.tensor((columns["energies"] - mean) / scale, dtype=torch.float32)
    forces = torch.tensor(columns["forces"] / scale, dtype=torch.float32)
    neighbours = edges_of(x[learnt], atoms)[0].shape[1] / (len(learnt) * atoms)
    network, inputs, outputs = NETWORKS[library](species, seed, mean, scale, neighbours, **options)
    number = sum(p.numel() for p in network.parameters())
    rate = RATES[library] if rate is None else rate
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    averaged = Averaged(network, decay)
    rng = np.random.default_rng(seed)

    def predicted(take):
        edges, structure = edges_of(x[take], atoms)
        return outputs(network(inputs(x[take].clone(), edges, structure, len(take))))

    def errors(take):
        """Mean absolute errors of energies (meV) and force components (meV/Å)."""
        network.eval()
        sums = np.zeros(2)
        for part in np.array_split(take, max(1, len(take) // 50)):
            e, f = (value.detach() for value in predicted(part))
            sums[0] += float((e - energies[part]).abs().sum())
            sums[1] += float((f - forces[part].reshape(-1, 3)).abs().sum())
        network.train()
        return sums / [len(take), len(take) * 3 * atoms] * scale * 1000

    best = (math.inf, {k: v.clone() for k, v in averaged.values.items()})
    steps, epochs, looks, limit = 0, 0, 0, 60 * minutes
    network.train()
    first = None
    while (used := time.process_time() - began) < limit:
        for take in np.array_split(rng.permutation(learnt), max(1, len(learnt) // batch)):
            used = time.process_time() - began
            if used >= limit:
                break
            for group in optimiser.param_groups:
                group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * min(1.0, used / limit)))
            e, f = predicted(take)
            loss = ((f - forces[take].reshape(-1, 3)) ** 2).mean()
            loss = loss + energy_weight * (((e - energies[take]) / atoms) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            averaged.update(network)
            steps += 1
            first = first or time.process_time() - began
        epochs += 1
        if used >= limit * (looks + 1) / 20:
            looks += 1
            now = averaged.put(network)
            held = errors(rows[1])
            put(network, now)
            if held[1] < best[0]:
                best = (held[1], {k: v.clone() for k, v in averaged.values.items()})
            line = {"seconds": round(used, 1), "steps": steps, "held out meV/Å": round(held[1], 2)}
            print(json.dumps(line, ensure_ascii=False), flush=True)
    seconds = time.process_time() - began
    put(network, best[1])
    energy, force = errors(rows[2])
    result = {
        "library": library,
        "frames": frames,
        "seed": seed,
        "force": round(force, 2),
        "energy": round(energy, 2),
        "held out": round(best[0], 2),
        "parameters": number,
        "steps": steps,
        "epochs": epochs,
        "seconds": round(seconds, 1),
        "first step": round(first, 1),
        **options,
    }
    print(json.dumps(result), flush=True)
    return result


if __name__ == "__main__":
    run(**json.loads(sys.argv[1]))
