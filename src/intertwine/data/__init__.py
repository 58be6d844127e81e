"""Data sets: unlabelled or labelled rows, read strictly, from files or from a few well-known sources.

    dataset.py             `Dataset`: rows, held-out rows, units, shape of the images, where it is from
    load.py                `load(name or path)`
    units.py               which units, and rows in those units
    doubts.py              what numbers may have been meant to be: notes to tell
    values.py              one pass over the values: finite, binary, ±1, grey, constant columns
    arrays.py, columns.py  data in memory (frames, masked, sparse) as arrays; named columns as rows and labels
    words.py               labels as words
    files.py, checks.py    a path to an array: which format, how large, checksum
    fields.py              `Fields`: samples of scalars and vectors on a globe, a mesh or an array
    field_files.py         fields from files and into files, by the kind of the file
    globe.py               latitude-longitude grids: which quadrature grid of the sphere one is
    structures/            `Structures`: atoms, residues, points in space, from files and in files
    formats/               one format a file: numpy, IDX, netCDF, tables, sequences (FASTA), folders of
                           images, weather files, HEALPix maps, arrays by name
    sets/                  data by name: distributions known exactly, and handwritten digits

Nothing is downloaded unless asked for, no pickle is read, and nothing is allocated because a header says so:
a header is first compared with the size of the file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
