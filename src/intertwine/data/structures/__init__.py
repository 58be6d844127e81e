"""Structures: atoms, residues or points in space, with what is known of them, from files and in files.

structures.py       `Structures`: positions, species, cells, values by name, units; taken, split, joined
loading.py          `load_structures(path)`: by the kind of the file, a folder, a list; labels
labels.py           labels from a table, or from the folders that files lie in
settled.py          what every format goes through: names, units, cells, doubts
quantities.py       names of values (energy, E, REF_energy …), their units, conversion to eV and Å
elements.py         symbols of the elements
coincidences.py     points on top of each other, frames that come twice
extended_xyz.py     extended and plain XYZ, read and written
archives.py         npz, read and written
proteins.py         PDB and mmCIF through gemmi: atoms, or residues with their frames
ase_files.py        other files of atoms through ASE
trajectories.py     trajectories of molecular dynamics through MDAnalysis
"""
