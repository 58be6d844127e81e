"""Secondary structure of proteins: 50 chains, 6,860 residues, labelled by DSSP (H, E, -).

    pip download --no-deps MDAnalysisTests && tar xzf mdanalysistests-*.tar.gz
    python benchmarks/proteins.py data --source mdanalysistests-*/MDAnalysisTests/data/dssp --out proteins.npz

The files are those of the tests of MDAnalysis.analysis.dssp: ?????.pdb.gz, and beside each ?????.pdb.dssp
with a letter for each residue. Without --source they are those of an installed MDAnalysisTests. The archive
has a structure for each chain with a point at each Cα, and the values that `load_structures` finds in PDB
files: species (amino acids), chain, residue-number, segment, frame, side-chain; file; secondary-structure.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections import Counter
from pathlib import Path

import intertwine as it

CHAINS, RESIDUES = 50, 6860


def installed() -> Path:
    """The folder in an installed MDAnalysisTests, which is not imported."""
    found = importlib.util.find_spec("MDAnalysisTests")
    if found is None or found.origin is None:
        raise SystemExit("MDAnalysisTests is not installed: give --source")
    return Path(found.origin).parent / "data" / "dssp"


def labelled_chains(source: Path) -> it.data.Structures:
    """The chains with their labels "secondary-structure", a letter for each residue."""
    files = sorted(source.glob("?????.pdb.gz"))
    labels = {file.name: file.with_suffix(".dssp").read_text().split()[0] for file in files}
    if not files:
        raise SystemExit(f"no files ?????.pdb.gz in {source}")
    return it.data.load_structures(files, points="residues", labels={"secondary-structure": labels})


def make(source: Path | None, out: Path) -> None:
    """Write the archive."""
    chains = labelled_chains(source or installed())
    chains.to_file(out)
    letters = Counter(chains.words("secondary-structure").tolist())
    print(chains)
    print(f"{len(chains)} chains, {chains.total} residues: {dict(sorted(letters.items()))}, into {out}")
    assert (len(chains), chains.total) == (CHAINS, RESIDUES)


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data")
    data.add_argument("--source", type=Path)
    data.add_argument("--out", type=Path, default=Path("proteins.npz"))
    options = parser.parse_args()
    make(options.source, options.out)


if __name__ == "__main__":
    main()
