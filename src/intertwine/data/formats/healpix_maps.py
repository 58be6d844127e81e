"""HEALPix maps in FITS files, by healpy where it is installed: ring or nested order in, ring order kept."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import checksum, shown
from intertwine.data.fields import Fields, Healpix, is_polarisation
from intertwine.data.known_numbers import check_numbers
from intertwine.records.writing import write_aside_with


def _healpy() -> Any:
    try:
        import healpy
    except ImportError:
        remedy = "pip install 'intertwine[healpix]'"
        raise fail("data", "healpy, which reads FITS", "an installation without it", remedy) from None
    return healpy


def read_healpix(path: Path, variables: Sequence[str] | None = None) -> Fields:
    """The maps of a file by the names of its columns, one sample; pixels marked as unseen are missing.

    Files of a part of the sky, whose first column holds the numbers of the pixels, are maps with unseen ones.
    U of polarisations in IAU's convention changes its sign: fields are kept in that of HEALPix (COSMO).

    Raises InputError without healpy, for names that are not there, infinite values, and for damaged files.
    """
    healpy = _healpy()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            maps, header = healpy.read_map(path, field=None, nest=False, h=True, dtype=None)
        facts = dict(header)
        rows = np.atleast_2d(np.asarray(maps))
        side = int(healpy.npix2nside(rows.shape[1]))
    except Exception as error:  # the readers raise nearly everything for a damaged file
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise fail(shown(path), "a whole file of HEALPix maps", reason, "get one, or save it so") from None
    explicit = str(facts.get("INDXSCHM", "")).strip().upper() == "EXPLICIT"  # pixels' numbers stand first
    columns = [k + 1 + explicit for k in range(len(rows))]
    names = [str(facts.get(f"TTYPE{k}", f"map{k}")).strip() for k in columns]
    units = {name: str(facts.get(f"TUNIT{k}", "")).strip() for name, k in zip(names, columns, strict=True)}
    values = {
        n: np.where(healpy.mask_bad(row), np.nan, row)[None] for n, row in zip(names, rows, strict=True)
    }
    if str(facts.get("POLCCONV", "")).strip().upper() == "IAU":  # the axis of U the other way
        for q, u in itertools.permutations(names, 2):
            if is_polarisation(q, u):
                values[u] = -values[u]
    if len(values) < len(names):
        raise fail(path.name, "columns with names of their own", ", ".join(names[:12]))
    check_numbers(path.name, values)
    for name in variables or ():
        if name not in values:
            raise fail(path.name, f"maps of the file ({', '.join(names[:12])})", repr(name))
    chosen = {name: values[name] for name in (variables or names)}
    mask = np.all([~np.isnan(v) for v in chosen.values()], axis=0)
    return Fields(
        chosen, {n: units[n] for n in chosen}, {}, (), Healpix(side), None if mask.all() else mask, str(path),
        checksum(path),
    )  # fmt: skip


def write_healpix(path: Path, fields: Fields) -> None:
    """Write one sample of maps in ring order; missing pixels are marked as unseen.

    Raises InputError without healpy, and for several samples.
    """
    healpy = _healpy()
    if fields.samples != 1:
        raise fail("out", "one sample for a FITS file", fields.samples, "write them one by one")
    names = list(fields.values)
    rows = [np.where(np.isnan(v[0]), healpy.UNSEEN, v[0]) for v in fields.values.values()]
    units = [fields.units.get(name, "") for name in names]
    kinds = [row.dtype for row in rows]

    def write(aside: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words: dict[str, Any] = dict(column_names=names, column_units=units, dtype=kinds)
            if any(is_polarisation(q, u) for q, u in itertools.permutations(names, 2)):
                words["extra_header"] = [("POLCCONV", "COSMO")]
            healpy.write_map(str(aside), rows, nest=False, overwrite=True, **words)

    write_aside_with(path, write)
