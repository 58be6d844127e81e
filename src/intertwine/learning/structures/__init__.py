"""Learning on structures, molecules, crystals, proteins: energies, forces, other values, classes."""
