"""Seconds a step of VMC with a Slater-Jastrow state of electrons, in turn with NetKet's on the same cores.

    python benchmarks/hubbard_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Hubbard model on the square 4 × 4, 5 + 5 electrons, U = 4, unrestricted orbitals and a Jastrow factor with a
coupling for every pair of modes on both sides, float64, 1,024 samples, 32 proposals (hops of one electron to
a neighbour) between draws of a chain, stochastic reconfiguration with shift 0.01 and learning rate 0.01. Both
hold a warm process and are asked in turn (A B A B ...). NetKet's settings are tried first and its best counts
(`--peer-settings` names one). CPU seconds are told beside those of the clock.
"""

from __future__ import annotations

from pathlib import Path

from paired_steps import paired, parser_of

SCRIPT = Path(__file__).parent / "peers" / "hubbard_worker.py"
PEER_SETTINGS = [
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 64},
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 256},
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 1024},
    {"operator": "second", "driver": "VMC_SR", "chains": 1024},
    {"operator": "hubbard", "driver": "VMC", "chains": 1024},
    {"operator": "hubbard", "driver": "VMC", "chains": 16},
]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--model", default="slater-jastrow", help="of ours: another name, as pairing-jastrow")
    arguments = parser.parse_args()
    paired(SCRIPT, arguments, PEER_SETTINGS, own={"model": arguments.model}, steps=(10, 3)).tell()


if __name__ == "__main__":
    main()
