"""The command `classify`: settings, study, results."""
