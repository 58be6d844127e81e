"""The page of a command that has none of its own: every agreed column drawn, every agreed result told."""
