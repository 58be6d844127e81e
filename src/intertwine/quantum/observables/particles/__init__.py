"""Measured of electrons, bosons, fermions and spins: densities, structure factors, one body, pairs."""
