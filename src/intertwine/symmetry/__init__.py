"""Symmetry: groups of site permutations and their characters. Knows nothing of the rest of the library."""

from intertwine.symmetry.permutation_group import PermutationGroup

__all__ = ["PermutationGroup"]
