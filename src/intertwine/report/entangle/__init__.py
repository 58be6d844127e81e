"""The command `entangle`: its report."""
