"""Seconds a step of VMC with an RBM of bosons, in turn with NetKet's on the same cores.

    python benchmarks/bose_hubbard.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Bose-Hubbard ring of 20 sites with 20 bosons, no cut-off below their number, U = 4, float64, 40 hidden units,
1,024 samples, 20 proposals between draws of a chain, stochastic reconfiguration with shift 0.01 and learning
rate 0.01. Ours has a weight for each site, level and hidden unit (17,240 parameters); NetKet's RBM reads
occupation numbers (860), its RBMMultiVal one-hot levels (40 hidden units as well). Both hold a warm process
and are asked in turn (A B A B ...). NetKet's settings are tried first and its best counts (`--peer-settings`
names one). CPU seconds are told beside those of the clock.
"""

from __future__ import annotations

from pathlib import Path

from paired_steps import paired, parser_of

SCRIPT = Path(__file__).parent / "peers" / "bosons_worker.py"
PEER_SETTINGS = [
    {"model": "rbm", "operator": "jax", "driver": "VMC_SR", "chains": 64},
    {"model": "rbm", "operator": "jax", "driver": "VMC_SR", "chains": 1024},
    {"model": "rbm", "operator": "numba", "driver": "VMC_SR", "chains": 64},
    {"model": "rbm", "operator": "jax", "driver": "VMC", "chains": 1024},
]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--model", default="rbm:2", help="of ours: another name, as jastrow")
    arguments = parser.parse_args()
    paired(SCRIPT, arguments, PEER_SETTINGS, own={"model": arguments.model}, steps=(10, 3)).tell()


if __name__ == "__main__":
    main()
