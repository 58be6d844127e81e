"""The command `classify`: its report."""
