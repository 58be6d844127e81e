"""The command `renormalize`: settings, study, results."""
