from . import formats as formats, sets as sets
from .dataset import Dataset as Dataset, Known as Known, binarise as binarise
from .formats.sequences import (
    letters as letters,
    pair_statistics as pair_statistics,
    similarity_weights as similarity_weights,
    write_fasta as write_fasta,
)
from .loading import load as load
