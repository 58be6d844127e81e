"""The command `renormalize`: its report."""
