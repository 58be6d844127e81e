"""The command `evolve`: its report."""
