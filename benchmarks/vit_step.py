"""Seconds a step of VMC with a vision transformer, interleaved with NetKet's on the same cores.

    python benchmarks/vit_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

J1-J2 model on the square 6 × 6, J2 = 0.5, patches of 2 × 2 sites, factored attention by relative positions,
complex output, 4 layers of 16 features and 4 heads, 1,024 samples, 36 proposals between draws, stochastic
reconfiguration with the real and imaginary parts of the derivatives (minSR). The network of the other side
is the same one in Flax: NetKet has no transformer of its own. Both hold a warm process and are asked in turn
(A B A B ...). NetKet's settings (chains, chunks, its on-the-fly and its kernel method) are tried first and
its best counts (`--peer-settings` names one).
"""

from __future__ import annotations

from pathlib import Path

from paired_steps import paired, parser_of

SCRIPT = Path(__file__).parent / "peers" / "vit_worker.py"
PEER_SETTINGS = [
    {"chains": 256},
    {"chains": 1024},
    {"chains": 1024, "chunk": 256},
    {"chains": 256, "chunk": 128},
    {"chains": 256, "driver": "VMC"},
]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--side", type=int, default=6)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dtype", default="float64", help="of both sides")
    arguments = parser.parse_args()
    common = {name: getattr(arguments, name) for name in ("side", "layers", "dim", "heads", "dtype")}
    paired(SCRIPT, arguments, PEER_SETTINGS, common=common).tell()


if __name__ == "__main__":
    main()
