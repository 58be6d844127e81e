"""The command `evolve`: settings, study, results."""
