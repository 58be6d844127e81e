"""The command `fields`: its report."""
