"""Imaginary time as a network: the Trotter evolution as a deep Boltzmann machine, and its classical spins."""
