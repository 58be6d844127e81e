r"""Proteins from PDB and mmCIF files, through gemmi: their atoms, or a point for each residue.

A residue stands at its Cα atom. With N and C it has a frame: rows

    e₁ = (C − Cα)/|C − Cα|,    e₂ = the part of N − Cα orthogonal to e₁, of length 1,    e₃ = e₁ × e₂

(Jumper et al., Nature 596, 583, 2021, algorithm 21), and with a side chain its direction, from Cα to the
middle of the other heavy atoms that are none of the backbone. What a residue lacks is zero, which every
rotation leaves alone. `segment` numbers the pieces between which the chain is broken: a C and the next N
further apart than 2.5 Å, or, without them, two Cα further than 4.5 Å; inside of a piece neighbours in the
file are neighbours in the sequence.

Of alternate locations, and of residues of which the crystal has several at one place, those of the highest
occupancy are taken (the first among equals). Residues without Cα are left out. Labels H, E and - come from
the HELIX and SHEET records, where the file has any.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import damaged, shown
from intertwine.data.structures.elements import VIRTUAL
from intertwine.data.structures.frames import Frame, assembled, source_of
from intertwine.data.structures.settled import Read
from intertwine.data.structures.text import bare, text_of

if TYPE_CHECKING:
    import gemmi

LETTERS = "ACDEFGHIKLMNPQRSTVWYX"
"""Species of residues, by number; X is any other amino acid."""
_BACKBONE = ("N", "CA", "C", "O", "OXT")
_WATER = ("SOL", "TIP", "TP3", "TP4", "TIP3", "TIP4", "TIP5", "SPC", "WAT", "T3P", "T4P")
"""What simulations call it, beside gemmi's names."""
_BOND, _NEXT = 2.5, 4.5
_LEAST = 1e-6


def read_protein(path: Path, points: str | None = None, models: str = "first") -> Read:
    """The models of a file as structures.

    points: "residues", "atoms", or None: residues where at least half of the heavy atoms, but for water,
    belong to amino acids with Cα. models: "first" or "all".

    Raises InputError for files that are damaged, and for those without such points.
    """
    try:
        import gemmi
    except ImportError:
        remedy = "pip install 'intertwine[molecules]'"
        raise fail("data", "the package gemmi, which reads PDB and mmCIF", "none", remedy) from None
    structure = _structure(path, gemmi)
    every = [model for model in structure if any(len(chain) for chain in model)]
    if not every:
        raise damaged(path, "atoms", "none")
    taken = every if models == "all" else every[:1]
    if points is None:
        points = "residues" if _are_amino_acids(taken[0], gemmi) else "atoms"
    told: Counter[str] = Counter()
    if len(every) > len(taken):
        told['models after the first left out (models="all" takes them)'] = len(every) - 1
    frames = []
    for number, model in enumerate(taken):
        chains = _chains(model, gemmi, told)
        frame = (
            _residues(structure, chains, gemmi, told) if points == "residues" else _atoms(path, chains, told)
        )
        if not len(frame.positions):
            remedy = 'say points="atoms"' if points == "residues" else ""
            got = f"none in model {number + 1} of {shown(path)}"
            raise fail("data", "amino acids with their Cα" if remedy else "atoms", got, remedy)
        frames.append(frame._replace(of_structure={"model": number}) if len(taken) > 1 else frame)
    named = {"kind": "residues", "species_names": tuple(LETTERS)} if points == "residues" else {}
    found, notes = assembled(*source_of(path), frames, **named)
    counted = tuple(f"{count} {what}" for what, count in told.items() if count)
    return Read(found, {}, frozenset({"positions"}), notes + counted)


def _structure(path: Path, gemmi: Any) -> gemmi.Structure:
    text, name = text_of(path).encode("ascii", "replace").decode(), bare(path).name.lower()
    try:
        if name.endswith((".cif", ".mmcif")):
            return gemmi.make_structure_from_block(gemmi.cif.read_string(text)[0])
        return gemmi.read_pdb_string(text)
    except Exception as error:  # gemmi raises many kinds for a damaged file
        reason = " ".join(str(error).split())[:150]
        raise damaged(path, "a PDB or mmCIF file", reason or type(error).__name__) from None


class _Residue(NamedTuple):
    """One residue: its atoms, each at one place, and the first of each name."""

    chain: str
    number: int
    name: str
    key: tuple[int, str]
    every: list[gemmi.Atom]
    atoms: dict[str, gemmi.Atom]


def _chains(model: gemmi.Model, gemmi: Any, told: Counter[str]) -> list[list[_Residue]]:
    """The residues of each chain, in the order of the file, without alternatives."""
    found = []
    for chain in model:
        residues: list[_Residue] = []
        for same in _alternatives(chain):
            best = max(same, key=lambda residue: sum(atom.occ for atom in residue))
            told["residues with others at their place, left out for lower occupancy"] += len(same) - 1
            number, icode = best.seqid.num or 0, best.seqid.icode.strip("\0 ")
            every = _located(best, _is_amino_acid(best.name, gemmi), told)
            atoms = {atom.name: atom for atom in reversed(every)}
            residues.append(_Residue(chain.name, number, best.name, (number, icode), every, atoms))
        found.append(residues)
    return found


def _alternatives(chain: gemmi.Chain) -> list[list[gemmi.Residue]]:
    """The residues, those together of which the crystal has several at one place: one after another, with one
    number, and all atoms marked as alternatives."""
    found: list[list[gemmi.Residue]] = []
    for residue in chain:
        before = found[-1][-1] if found else None
        marked = all(atom.has_altloc() for atom in residue)
        beside = before is not None and before.seqid == residue.seqid and before.name != residue.name
        if before is not None and beside and marked and all(atom.has_altloc() for atom in before):
            found[-1].append(residue)
        else:
            found.append([residue])
    return found


def _located(residue: gemmi.Residue, unique: bool, told: Counter[str]) -> list[gemmi.Atom]:
    """Its atoms: of those marked as alternatives, those of the letter of the highest total occupancy, and for
    names that this letter lacks the first. unique: whether atoms of one name are alternatives also without a
    mark, as in amino acids; elsewhere they are atoms of their own."""
    letters: dict[str, float] = {}
    for atom in residue:
        if atom.has_altloc():
            letters[atom.altloc] = letters.get(atom.altloc, 0.0) + atom.occ
    best = max(letters, key=lambda letter: letters[letter], default="")
    places: dict[str, int] = {}
    kept: list[gemmi.Atom] = []
    for atom in residue:
        if not unique and not atom.has_altloc():
            kept.append(atom)
        elif atom.name not in places:
            places[atom.name] = len(kept)
            kept.append(atom)
        else:
            told["alternate locations of atoms left out"] += 1
            if atom.has_altloc() and atom.altloc == best:
                kept[places[atom.name]] = atom
    return kept


def _are_amino_acids(model: gemmi.Model, gemmi: Any) -> bool:
    """Whether half of the heavy atoms, but for water, belong to amino acids with Cα."""
    inside, every = 0, 0
    for chain in model:
        for residue in chain:
            heavy = (
                0
                if residue.is_water() or residue.name in _WATER
                else sum(not atom.is_hydrogen() for atom in residue)
            )
            every += heavy
            whole = any(atom.name == "CA" for atom in residue)
            inside += heavy * (whole and _is_amino_acid(residue.name, gemmi))
    return 2 * inside >= every > 0


def _is_amino_acid(name: str, gemmi: Any) -> bool:
    return name == "UNK" or gemmi.find_tabulated_residue(name).is_amino_acid()


def _letter(name: str, gemmi: Any) -> int:
    letter = gemmi.find_tabulated_residue(name).one_letter_code.upper()
    return LETTERS.index(letter) if letter in LETTERS and letter else LETTERS.index("X")


def _atoms(path: Path, chains: list[list[_Residue]], told: Counter[str]) -> Frame:
    every = [(residue, atom) for chain in chains for residue in chain for atom in residue.every]
    rows = [row for row in every if row[1].element.atomic_number > 0 or row[1].name not in VIRTUAL]
    told["sites without an atom (MW and the like) left out"] += len(every) - len(rows)
    unknown = next((atom for _, atom in rows if atom.element.atomic_number < 1), None)
    if unknown is not None:
        remedy = "write the elements in their column, and leave out sites that are no atoms"
        raise fail(
            shown(path), "elements of all atoms", f"none of atom {unknown.serial} ({unknown.name})", remedy
        )
    return Frame(
        np.array([atom.pos.tolist() for _, atom in rows]).reshape(-1, 3),
        np.array([atom.element.atomic_number for _, atom in rows], np.int64), None, np.zeros(3, bool), {},
        {
            "atom-name": np.array([atom.name for _, atom in rows], str),
            "residue-name": np.array([residue.name for residue, _ in rows], str),
            "residue-number": np.array([residue.number for residue, _ in rows], np.int64),
            "chain": np.array([residue.chain for residue, _ in rows], str),
        },
    )  # fmt: skip


def _residues(
    structure: gemmi.Structure, chains: list[list[_Residue]], gemmi: Any, told: Counter[str]
) -> Frame:
    rows: list[_Residue] = []
    segments: list[int] = []
    segment = -1
    for chain in chains:
        before: _Residue | None = None
        for residue in chain:
            if not (_is_amino_acid(residue.name, gemmi) or {"N", "CA", "C"} <= residue.atoms.keys()):
                continue
            if "CA" not in residue.atoms:
                told["residues without Cα left out"] += 1
                continue
            broken = before is None or not _bound(before, residue)
            told["places where a chain is broken"] += before is not None and broken
            segment += broken
            rows.append(residue)
            segments.append(segment)
            before = residue
    frames, sides = _frames(rows), _side_chains(rows)
    told["residues without N or C, which have no frame"] += int((~frames.any(axis=(1, 2))).sum())
    values: dict[str, np.ndarray] = {
        "chain": np.array([residue.chain for residue in rows], str),
        "residue-number": np.array([residue.number for residue in rows], np.int64),
        "segment": np.array(segments, np.int64),
        "frame": frames,
        "side-chain": sides,
    }
    labels = _recorded(structure, rows)
    if labels is not None:
        values["secondary-structure"] = labels
    species = np.array([_letter(residue.name, gemmi) for residue in rows], np.int64)
    return Frame(_places(rows, "CA"), species, None, np.zeros(3, bool), {}, values)


def _places(rows: list[_Residue], name: str) -> np.ndarray:
    """Positions (n, 3) of atoms by name, nan where there is none."""
    lacking = [np.nan] * 3
    found = [residue.atoms[name].pos.tolist() if name in residue.atoms else lacking for residue in rows]
    return np.array(found, np.float64).reshape(-1, 3)


def _bound(first: _Residue, second: _Residue) -> bool:
    """Whether two residues are neighbours in a chain that is not broken between them."""
    if "C" in first.atoms and "N" in second.atoms:
        return first.atoms["C"].pos.dist(second.atoms["N"].pos) < _BOND
    return first.atoms["CA"].pos.dist(second.atoms["CA"].pos) < _NEXT


def _frames(rows: list[_Residue]) -> np.ndarray:
    alpha, n, c = (_places(rows, name) for name in ("CA", "N", "C"))
    with np.errstate(invalid="ignore", divide="ignore"):
        first = c - alpha
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        second = n - alpha
        second = second - np.sum(second * first, axis=1, keepdims=True) * first
        length = np.linalg.norm(second, axis=1, keepdims=True)
        second = np.where(length > _LEAST, second / length, np.nan)
    found = np.stack([first, second, np.cross(first, second)], axis=1)
    return np.where(np.isfinite(found).all(axis=(1, 2), keepdims=True), found, 0.0)


def _side_chains(rows: list[_Residue]) -> np.ndarray:
    found = np.zeros((len(rows), 3))
    for place, residue in zip(found, rows, strict=True):
        beyond = [a for a in residue.atoms.values() if a.name not in _BACKBONE and not a.is_hydrogen()]
        if beyond:
            way = np.mean([atom.pos.tolist() for atom in beyond], axis=0) - residue.atoms["CA"].pos.tolist()
            length = np.linalg.norm(way)
            place[:] = way / length if length > _LEAST else 0.0
    return found


def _recorded(structure: gemmi.Structure, rows: list[_Residue]) -> np.ndarray | None:
    """H, E and - from the records of helices and sheets; None where there are none."""
    strands = [strand for sheet in structure.sheets for strand in sheet.strands]
    if not len(structure.helices) and not strands:
        return None
    places = {(residue.chain, *residue.key): k for k, residue in enumerate(rows)}
    labels = np.full(len(rows), "-")
    for letter, records in (("E", strands), ("H", structure.helices)):
        for record in records:
            ends = []
            for end in (record.start, record.end):
                seqid = end.res_id.seqid
                ends.append(places.get((end.chain_name, seqid.num or 0, seqid.icode.strip("\0 "))))
            if ends[0] is None or ends[1] is None:
                ends = _by_numbers(record, rows)
            if ends[0] is not None and ends[1] is not None:
                labels[ends[0] : ends[1] + 1] = letter
    return labels


def _by_numbers(record: Any, rows: list[_Residue]) -> list[int | None]:
    """The first and last residue within a record whose ends are not among the residues."""
    begin, end = record.start.res_id.seqid.num or 0, record.end.res_id.seqid.num or 0
    inside = [
        k for k, r in enumerate(rows) if r.chain == record.start.chain_name and begin <= r.number <= end
    ]
    return [inside[0], inside[-1]] if inside else [None, None]
