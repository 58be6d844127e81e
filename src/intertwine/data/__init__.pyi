from . import formats as formats, sets as sets
from .dataset import Dataset as Dataset, Known as Known, binarise as binarise
from .field_files import load_fields as load_fields, write_fields as write_fields
from .fields import Fields as Fields
from .formats.sequences import (
    letters as letters,
    pair_statistics as pair_statistics,
    similarity_weights as similarity_weights,
    write_fasta as write_fasta,
)
from .globe import Globe as Globe, globe_of as globe_of
from .loading import load as load
from .sets.group_tables import group_table as group_table
from .structures.ase_atoms import from_ase as from_ase, to_ase as to_ase
from .structures.loading import load_structures as load_structures
from .structures.structures import Structure as Structure, Structures as Structures
