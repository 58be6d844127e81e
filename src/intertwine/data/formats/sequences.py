r"""Aligned sequences of letters: FASTA in and out, alphabets, gaps, and weights of sequences that are alike.

An alignment is n sequences of L letters; a letter is one of the q states of a Potts unit, the gap "-" among
them. What an alphabet does not have (N in DNA, X in proteins) is not known, and missing. Lower-case letters
and dots of an alignment in a2m or a3m are insertions, and left out; elsewhere lower case is a letter.
Sequences that descend from one another are counted once: a sequence has the weight 1/m, m being the number of
sequences, itself among them, that agree with it in a share ≥ θ of the places (Morcos et al., PNAS 108, E1293
(2011); θ = 0.8).
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from intertwine._checks import fail

ALPHABETS = {
    "dna": "-ACGT",
    "rna": "-ACGU",
    "protein": "-ACDEFGHIKLMNPQRSTVWY",
}
"""Names of alphabets, the gap first."""

UNKNOWN = {"dna": "NRYSWKMBDHV", "rna": "NRYSWKMBDHV", "protein": "XBZJUO"}
"""Letters that stand for several, or for none that the alphabet has: missing."""

MOST_UNKNOWN = 0.2
"""The share of letters that may be unknown in an alphabet that is found: S, V, K of a protein are no DNA."""

SIMILAR = 0.8
"""The share of equal letters from which sequences count as one."""

SUFFIXES = (".fasta", ".fa", ".faa", ".fna", ".afa", ".aln", ".a2m", ".a3m")
INSERTING = (".a2m", ".a3m")
"""Endings of the files in which lower case and dots are insertions."""

_BLOCK = 2048
_MOST_BYTES = 1 << 30


def is_fasta(path: Path) -> bool:
    """Whether the file at `path` holds sequences: by its name, or because it begins with >."""
    inner = path.stem if path.suffix.lower() == ".gz" else path.name
    if Path(inner).suffix.lower() in SUFFIXES:
        return True
    with open(path, "rb") as file:
        return file.read(1) == b">"


def read_fasta(path: Path) -> tuple[list[str], list[str]]:
    """(names, sequences) of a FASTA file, gzipped or not, as they stand there.

    Raises `InputError` for a file that is no FASTA.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    names: list[str] = []
    parts: list[list[str]] = []
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise fail(str(path), "a whole gzipped file", str(error), "get the file again") from None
    if len(content) > _MOST_BYTES:
        raise fail(str(path), "an alignment of at most 1 GB", "a larger one", "take part of it")
    for line in content.decode("ascii", errors="replace").splitlines():
        line = line.strip()
        if line.startswith(">"):
            names.append(line[1:].strip())
            parts.append([])
        elif line and not line.startswith(";"):
            if not parts:
                raise fail(
                    str(path),
                    "a FASTA file, whose first line begins with >",
                    repr(line[:40]),
                    "give FASTA, or a table",
                )
            parts[-1].append(line.replace(" ", ""))
    return names, ["".join(part).rstrip("*") for part in parts]


def without_insertions(sequences: Sequence[str], sure: bool = False) -> tuple[list[str], int]:
    """(sequences without the insertions of a2m and a3m, how many letters these were): lower case and dots are
    insertions if that is `sure`, or where without them, and only so, all have one length, or where dots and
    lower case fill columns of their own. Otherwise lower case is soft-masked, and kept.

    >>> without_insertions(["ACg-T", "AC-T"]), without_insertions(["ACg-T", "ACTT-"])
    ((['AC-T', 'AC-T'], 1), (['ACg-T', 'ACTT-'], 0))
    """
    dropped = ["".join(c for c in s if not c.islower() and c != ".") for s in sequences]
    count = sum(c.islower() for s in sequences for c in s)
    lengths, left = {len(s) for s in sequences}, {len(s) for s in dropped}
    apart = len(lengths) == 1 and _columns_of_insertions(sequences)
    if count and left != {0} and (sure or (len(left) == 1 and (len(lengths) > 1 or apart))):
        return dropped, count
    return list(sequences), 0


def _columns_of_insertions(sequences: Sequence[str]) -> bool:
    """Whether dots and lower case, both there, share no column with anything else."""
    inserted = [{c.islower() or c == "." for c in column} for column in zip(*sequences, strict=True)]
    return any("." in s for s in sequences) and all(len(kinds) == 1 for kinds in inserted)


def aligned(sequences: Sequence[str], argument: str = "data") -> list[str]:
    """Sequences of one length in capitals, without insertions (`without_insertions`).

    Raises `InputError` for sequences of several lengths.

    >>> aligned(["ACg-T", "AC-T"]), aligned(["acgt", "ac.t"]), aligned(["ACgt", "ACTT"])
    (['AC-T', 'AC-T'], ['ACGT', 'AC-T'], ['ACGT', 'ACTT'])
    """
    sequences, _ = without_insertions(sequences)
    lower = sum(c.islower() for s in sequences for c in s)
    sequences = [s.upper().replace(".", "-").replace("~", "-") for s in sequences]
    lengths = sorted({len(s) for s in sequences})
    if len(lengths) > 1 or not lengths or lengths[0] == 0:
        got = "no sequence" if not lengths else f"lengths from {lengths[0]} to {lengths[-1]}"
        got += f", {lower} letters in lower case counted in" if lower else ""
        raise fail(argument, "aligned sequences, all of one length", got, "align them first")
    return sequences


def find_alphabet(sequences: Iterable[str], wanted: str | None = None, argument: str = "data") -> str:
    """The letters of the states: those of `wanted` ("dna", "rna", "protein", or the letters themselves), or
    of the first named alphabet that has all letters seen, unknown ones apart.

    >>> find_alphabet(["ACGT-N"]), find_alphabet(["MKV"])
    ('-ACGT', '-ACDEFGHIKLMNPQRSTVWY')
    """
    if wanted is not None and wanted.lower() not in ALPHABETS:
        letters = wanted.upper()
        if not 2 <= len(letters) <= 256 or len(set(letters)) < len(letters):
            expected = "'dna', 'rna', 'protein', or two letters or more, each once"
            raise fail("alphabet", expected, repr(wanted), "for example 'ACGT-'")
        return letters
    counts = Counter("".join(sequences))
    seen = set(counts)
    for name in ALPHABETS if wanted is None else (wanted.lower(),):
        unknown = sum(counts[letter] for letter in UNKNOWN[name])
        few = wanted is not None or unknown <= MOST_UNKNOWN * counts.total()
        if few and seen <= set(ALPHABETS[name]) | set(UNKNOWN[name]):
            return ALPHABETS[name]
    odd = sorted(seen - set(ALPHABETS["protein"]) - set(UNKNOWN["protein"])) or sorted(seen)
    remedy = "give alphabet, the letters of all states, for example 'ACGT-'"
    raise fail(argument, f"letters of {wanted or 'DNA, RNA or proteins'}", "".join(odd)[:20], remedy)


def levels(sequences: Sequence[str], alphabet: str) -> np.ndarray:
    """Numbers of the letters in `alphabet`, (n, L): int16, or float32 with nan for letters it does not have.

    >>> levels(["AC", "N-"], "-ACGT").tolist()
    [[1.0, 2.0], [nan, 0.0]]
    """
    table = np.full(256, -1, np.int16)
    for number, letter in enumerate(alphabet):
        table[ord(letter)] = number
    codes = np.frombuffer("".join(sequences).encode("latin-1", errors="replace"), np.uint8)
    found = table[codes].reshape(len(sequences), -1)
    return np.where(found < 0, np.float32(np.nan), found) if (found < 0).any() else found


def letters(rows: np.ndarray, alphabet: str) -> list[str]:
    """Sequences of one-hot rows (n, L·q), "?" where a place is missing. alphabet: the letters of the q
    states, or a `Dataset` of sequences, which has them.

    Raises `InputError` for a data set that has no alphabet, and rows that are not of L·q columns.

    >>> letters(np.eye(4)[[1, 2]].reshape(1, 8), "-ACG")
    ['AC']
    """
    alphabet = getattr(alphabet, "alphabet", alphabet)
    if not isinstance(alphabet, str) or len(alphabet) < 2:
        expected = "the letters of all states, or a data set of sequences"
        raise fail("alphabet", expected, repr(alphabet)[:60], "give data.alphabet, for example '-ACGT'")
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] % len(alphabet):
        expected = f"one-hot rows (n, L·{len(alphabet)})"
        raise fail("rows", expected, f"shape {rows.shape}", "give rows of the data set or of its model")
    states = rows.reshape(len(rows), -1, len(alphabet))
    missing = np.isnan(states).any(-1) if states.dtype.kind == "f" else np.zeros(states.shape[:2], bool)
    numbers = np.where(missing, len(alphabet), states.argmax(-1))
    table = np.array([*alphabet, "?"])
    return ["".join(row) for row in table[numbers]]


def write_fasta(path: Path, sequences: Iterable[str], name: str = "sample") -> None:
    """Sequences under numbered names."""
    text = "".join(f">{name}-{number}\n{s}\n" for number, s in enumerate(sequences, start=1))
    Path(path).write_text(text, encoding="ascii")


def similarity_weights(rows: np.ndarray, states: int, identity: float = SIMILAR) -> np.ndarray:
    """1/(count of rows that agree in at least the share `identity` of the places known in both), (n,).

    rows: one-hot (n, L·states). The sum is the effective number of sequences. Time grows as n².

    >>> same = np.eye(3)[[[0, 1, 2, 0, 1], [0, 1, 2, 0, 1], [2, 2, 1, 1, 0]]].reshape(3, 15)
    >>> similarity_weights(same, 3).tolist()
    [0.5, 0.5, 1.0]
    """
    if not 0 < identity <= 1:
        raise fail("identity", "a share above 0 and at most 1", identity, "0.8 is usual")
    values = np.nan_to_num(np.asarray(rows, np.float32))
    known = np.any(values.reshape(len(values), -1, states), axis=-1).astype(np.float32)
    alike = np.empty(len(values))
    for begin in range(0, len(values), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        equal = values[part] @ values.T
        common = known[part, :] @ known.T
        alike[part] = (equal >= identity * common - 1e-3).sum(1)
    return 1.0 / np.maximum(alike, 1)


def pair_statistics(
    rows: np.ndarray, states: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(f, c): frequencies f_i(a) of every column, (L·q,), and connected pair frequencies
    c_ij(a, b) = f_ij(a, b) − f_i(a) f_j(b), (L·q, L·q); over the rows in which both places are known.

    >>> f, c = pair_statistics(np.array([[1, 0, 1, 0], [0, 1, 0, 1]]), 2)
    >>> f.tolist(), c[0].tolist()
    ([0.5, 0.5, 0.5, 0.5], [0.25, -0.25, 0.25, -0.25])
    """
    values = np.asarray(rows, np.float64)
    share = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    known = (~np.isnan(values)).astype(np.float64)
    values = np.where(known > 0, values, 0)
    both = np.maximum((known * share[:, None]).T @ known, 1e-300)
    first = (values * share[:, None]).T @ known / both  # f_i among the rows in which j is known too
    pairs = (values * share[:, None]).T @ values / both
    return np.diag(pairs).copy(), pairs - first * first.T
