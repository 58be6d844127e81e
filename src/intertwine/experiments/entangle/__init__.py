"""The command `entangle`: settings, study, results."""
