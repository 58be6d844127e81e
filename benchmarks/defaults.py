"""What the defaults reach: commands with no flags but the system, against exact values.

    python benchmarks/defaults.py --only quantum
    python benchmarks/defaults.py --only quantum --rows "kagome" "4x4"
    python benchmarks/defaults.py --only data

Each row runs the command in a process of its own, as a user types it, and reads its result.json. Printed are
the exact value, the one found, the relative error, the one that is wanted, seconds and caveats.
A table is a list of rows and a function that runs and prints them: `TABLES` has them by name. The table of
learning from data is in defaults_data.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from defaults_data import ROWS as DATA, print_data


class Row(NamedTuple):
    """name: what it is. flags: of the command, the system only. wanted: the relative error to be reached.
    exact: the exact value, or None where `exact_energy` is to find it."""

    name: str
    flags: str
    wanted: float
    exact: float | None = None


class Found(NamedTuple):
    """exact, value: what should be found and what was. caveats: codes of the result's caveats."""

    exact: float
    value: float
    caveats: tuple[str, ...]

    @property
    def error(self) -> float:
        """The relative error."""
        return abs(self.value - self.exact) / abs(self.exact)


QUANTUM = [
    Row("Heisenberg chain of 20, periodic", "", 2e-5),
    Row("Heisenberg chain of 20, open", "--lattice chain:20:open", 1e-5, -34.72989334),
    Row("Heisenberg 4x4", "--lattice square:4x4", 1e-6),
    Row("J1-J2 4x4, J2 = 0.5", "--lattice square:4x4 --hamiltonian j1j2 --J2 0.5", 1e-4),
    Row("J1-J2 4x4, J2 = 0.8", "--lattice square:4x4 --hamiltonian j1j2 --J2 0.8", 1e-3),
    Row("Heisenberg triangular 4x4", "--lattice triangular:4x4", 1e-3),
    Row("Heisenberg kagome 2x2", "--lattice kagome:2x2", 1e-3),
    Row("Heisenberg ring of 9", "--lattice chain:9", 1e-4),
    Row("Heisenberg 6x6 open", "--lattice square:6x6:open", 5e-4, -86.90714),
    Row("Heisenberg chain of 11, open", "--lattice chain:11:open", 1e-4),
    Row("Heisenberg honeycomb 3x3", "--lattice honeycomb:3x3", 1e-4),
    Row("Heisenberg 2x6, a ladder", "--lattice square:2x6", 1e-4),
    Row("Heisenberg triangular 3x3", "--lattice triangular:3x3", 1e-3),
    Row("Heisenberg triangular 3x4, open", "--lattice triangular:3x4:open", 1e-3),
    Row("J1-J2 chain of 12, J2 = 0.5", "--lattice chain:12 --hamiltonian j1j2 --J2 0.5", 1e-4),
    Row("XXZ chain of 12, delta = -0.5", "--lattice chain:12 --hamiltonian xxz --delta -0.5", 1e-4),
    Row("XXZ chain of 10, delta = -2", "--lattice chain:10 --hamiltonian xxz --delta -2", 1e-4),
    Row("XX ring of 7", "--lattice chain:7 --hamiltonian xxz --delta 0", 1e-4),
    Row("Ising in a field, triangular 4x4", "--lattice triangular:4x4 --hamiltonian tfim --h 2", 1e-4),
    Row(
        "Ising antiferromagnet in a field, triangular 4x4",
        "--lattice triangular:4x4 --hamiltonian tfim --J -1 --h 1",
        1e-3,
    ),
    Row("XXZ ladder 2x6 open, delta = 0.5", "--lattice square:2x6:open --hamiltonian xxz --delta 0.5", 1e-4),
    Row("Ising in a field, triangular 3x4", "--lattice triangular:3x4 --hamiltonian tfim --h 3", 1e-4),
    Row("J1-J2 chain of 14, J2 = 0.7", "--lattice chain:14 --hamiltonian j1j2 --J2 0.7", 1e-4),
    Row("J1-J2 chain of 14, J1 = -1", "--lattice chain:14 --hamiltonian j1j2 --J1 -1 --J2 0.4", 1e-3),
    Row("Heisenberg kagome 2x2, open", "--lattice kagome:2x2:open", 1e-3),
    Row("Heisenberg 6, as written", "--lattice chain:6 --marshall false", 1e-4),
]
"""Ground states: the first nine are the ones asked for, the others have no part in choosing the defaults."""


def quantum(row: Row) -> Found:
    """One ground state by the command; its exact energy by diagonalization."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "intertwine.cli", "ground-state", *row.flags.split()]
        subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        result = json.loads((out / "result.json").read_text())
    exact = row.exact
    if exact is None:
        exact = result["exact"]["energy"] if result["exact"] else exact_energy(result)
    codes = tuple(line.partition(":")[0] for line in result["warnings"])
    return Found(exact, result["energy"]["mean"], codes)


def exact_energy(result: dict) -> float:
    """The ground energy of the system of a result.json."""
    import intertwine as it
    from intertwine.quantum.operators import hamiltonians
    from intertwine.spaces.lattices import lattice_from_name

    lattice = lattice_from_name(result["lattice"])
    settings = {k: v for k, v in result["hamiltonian_parameters"].items() if k != "marshall"}
    return it.exact.ground_energy(getattr(hamiltonians, result["hamiltonian"])(lattice, **settings))


def print_table(rows: Iterable[Row], run: Callable[[Row], Found] = quantum) -> int:
    """One line a row; how many rows miss what is wanted."""
    missed = 0
    print(
        f"{'system':50s} {'exact':>14s} {'found':>14s} {'error':>8s} {'wanted':>7s}  met  {'s':>4s}  caveats"
    )
    for row in rows:
        begun = time.perf_counter()
        try:
            found = run(row)
        except subprocess.CalledProcessError as error:
            missed += 1
            print(f"{row.name:50s} ended with exit code {error.returncode}", flush=True)
            continue
        met = found.error <= row.wanted
        missed += not met
        print(
            f"{row.name:50s} {found.exact:14.7f} {found.value:14.7f} {found.error:8.1e} {row.wanted:7.0e}  "
            f"{'yes' if met else 'NO ':3s}  {time.perf_counter() - begun:4.0f}  {', '.join(found.caveats)}",
            flush=True,
        )
    return missed


TABLES: dict[str, tuple[list[Any], Callable[[Any], int]]] = {
    "quantum": (QUANTUM, print_table),
    "data": (DATA, print_data),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=sorted(TABLES), default=None, help="one of the tables")
    parser.add_argument("--rows", nargs="*", default=None, help="rows whose name contains one of these")
    arguments = parser.parse_args()
    missed = 0
    for name, (rows, print_rows) in TABLES.items():
        if arguments.only in (None, name):
            wanted = [r for r in rows if arguments.rows is None or any(w in r.name for w in arguments.rows)]
            missed += print_rows(wanted)
    print(f"result: {missed} rows miss what is wanted")


if __name__ == "__main__":
    main()
