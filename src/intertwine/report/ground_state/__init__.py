"""The command `ground-state`: its report."""
