"""What learning from structures takes where nothing is given: one place for `fit_structures` and the
commands."""

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, AVERAGE = 100, 4, 1e-2, 0.0, 0.999
NETWORK, SPACE = "nequip:16", "points:5.0"
RESIDUE_NETWORK, RESIDUE_SPACE = "residues:16", "points:12.0:16"
"""Of proteins by residue, whose Cα are 3.8 Å apart."""
TEST_SHARE = 0.1
"""Of a file's structures, held out of a command to be tested with at the end."""
FEW, FEW_HELD, RARE = 4, 10, 3
"""Fewer structures than the first are all learnt from; fewer held out than the second are said to be few; an
element of fewer than the third is said to be rare."""
ALONE = 0.1
"""More points without a neighbour, as a share of all, are told."""
