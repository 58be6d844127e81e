"""The command `learn`: settings, study, results."""
