"""ln Z by enumeration and by annealed importance sampling, with its bracket."""
