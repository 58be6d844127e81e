"""The command `learn`: its report."""
