"""Seconds a step of VMC with a group-convolutional network, interleaved with NetKet's on the same cores.

    python benchmarks/gcnn_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Heisenberg model on the square 6 × 6, the full space group (288 elements), 4 layers of 4 features, 1,024
samples from 256 chains, 36 proposals between draws, stochastic reconfiguration; real parameters and real
positive amplitudes on both sides. Both hold a warm process and are asked in turn (A B A B ...). NetKet's
modes are tried first and its best counts (`--peer-settings` names one). The floor is the time of our matrix
products alone at the speed of one large product, measured in the same run.
"""

from __future__ import annotations

from pathlib import Path

from paired_steps import paired, parser_of

SCRIPT = Path(__file__).parent / "peers" / "gcnn_worker.py"
PEER_SETTINGS = [
    {"mode": "irreps", "driver": "VMC_SR"},
    {"mode": "fft", "driver": "VMC_SR"},
    {"mode": "irreps", "driver": "VMC"},
]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--side", type=int, default=6)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--features", type=int, default=4)
    parser.add_argument("--dtype", default="float64", help="of ours; NetKet runs in float64")
    arguments = parser.parse_args()
    common = {name: getattr(arguments, name) for name in ("side", "layers", "features")}
    found = paired(
        SCRIPT, arguments, PEER_SETTINGS, common=common, own={"dtype": arguments.dtype}, steps=(3, 1)
    )
    ours = found.ours
    more = (
        f"; sampling {1e3 * ours.minimum('sampling'):.0f} ms, local energies "
        f"{1e3 * ours.minimum('local'):.0f} ms; floor {1e3 * ours.warm['floor']:.0f} ms"
    )
    found.tell(more=more)


if __name__ == "__main__":
    main()
