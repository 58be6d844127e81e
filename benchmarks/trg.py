"""Tensor renormalization of the Ising model at T_c: errors against Onsager, exponents and seconds by χ.

    python benchmarks/trg.py [--chi 4 8 16 24 32] [--steps 40] [--critical]

A line a χ for each scheme: the relative error of ln Z per site, c, y_T and y_H from the transfer matrix at
the step nearest to the fixed point, and the wall seconds of one run. --critical adds where the flow of the
tensor changes its end, relative to K_c.
"""

from __future__ import annotations

import argparse
import time

from intertwine.models.spins.ising import CRITICAL_SQUARE
from intertwine.models.spins.onsager import onsager
from intertwine.rg.tensor.trg import SCHEMES, trg, trg_critical


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--chi", type=int, nargs="+", default=[4, 8, 16, 24, 32])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--critical", action="store_true")
    options = parser.parse_args()
    exact = onsager(CRITICAL_SQUARE).log_partition
    print("scheme           χ  |error of ln Z|  step       c     y_T     y_H  seconds")
    for chi in options.chi:
        for scheme in SCHEMES:
            begun = time.perf_counter()
            found = trg(CRITICAL_SQUARE, chi, options.steps, scheme=scheme)
            seconds = time.perf_counter() - begun
            at = found.exponents
            print(
                f"{scheme:<13} {chi:>4}  {abs(found.log_z / exact - 1):>15.2e}  {at.step:>4}"
                f"  {at.central_charge:6.4f}  {at.y_T:6.4f}  {at.y_H:6.4f}  {seconds:>7.2f}",
                flush=True,
            )
            if options.critical:
                K = trg_critical(lambda x: x, 0.42, 0.46, chi, scheme=scheme, tolerance=1e-7)
                print(f"{'':18}  K/K_c − 1 = {K / CRITICAL_SQUARE - 1:.2e}", flush=True)


if __name__ == "__main__":
    main()
