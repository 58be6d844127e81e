"""The command `ground-state`: settings, study, results."""
