"""Data sets: unlabelled or labelled rows, read strictly, from files or from a few well-known sources.

    dataset.py             `Dataset`: rows, held-out rows, units, shape of the images, where it is from
    load.py                `load(name or path)`
    units.py               which units, and rows in those units
    doubts.py              what numbers may have been meant to be: notes to tell
    values.py              one pass over the values: finite, binary, ±1, grey, constant columns
    arrays.py, columns.py  data in memory (frames, masked, sparse) as arrays; named columns as rows and labels
    sequences.py, words.py FASTA, alphabets, weights of sequences that are alike
    files.py               a path to an array: which format, how large, checksum
    numpy_files.py, idx.py, netcdf.py, table.py      one format a file
    image_folder.py        png and other images, one folder a class
    ising.py, bars_and_stripes.py                    distributions known exactly, drawn exactly
    mnist.py, digits.py                              the two classic sets of handwritten digits

Nothing is downloaded unless asked for, no pickle is read, and nothing is allocated because a header says so:
a header is first compared with the size of the file.
"""

from intertwine.data.dataset import Dataset, Known, binarise
from intertwine.data.formats.sequences import letters, pair_statistics, similarity_weights, write_fasta
from intertwine.data.loading import load

__all__ = [
    "Dataset", "Known", "binarise", "letters", "load", "pair_statistics", "similarity_weights", "write_fasta",
]  # fmt: skip
