"""Networks of points in space by name, with the presets of their papers."""
