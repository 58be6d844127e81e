"""Block spins: rules, blocks and the distribution of what is blocked."""
